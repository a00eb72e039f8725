import { type Digest, isDigest } from '../../lib/digest.ts'
import { OciError } from './oci-error.ts'

export type ManifestReference = { readonly tag: string } | { readonly digest: Digest }

/** A parsed path under `/v2/`. */
export type OciPath =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | {
      readonly kind: 'manifest'
      readonly repository: string
      readonly reference: ManifestReference
    }
  /** A manifest by what cannot be a tag, so that there is none. */
  | { readonly kind: 'no_manifest'; readonly repository: string; readonly tag: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: Digest }

// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
const REPOSITORY =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
const UPLOAD_ID = /^[0-9a-f-]{36}$/
const REPOSITORY_LENGTH_MAX = 255

export const isTag = (text: string): boolean => TAG.test(text)

export const isRepositoryName = (text: string): boolean =>
  text.length <= REPOSITORY_LENGTH_MAX && REPOSITORY.test(text)

/** @throws OciError NAME_INVALID */
export function parseRepositoryName(text: string): string {
  if (!isRepositoryName(text)) throw new OciError('NAME_INVALID', { name: text })
  return text
}

/** @throws OciError DIGEST_INVALID */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) {
    throw new OciError('DIGEST_INVALID', { digest: text }, { message: 'invalid digest' })
  }
  return text
}

/** @throws OciError DIGEST_INVALID */
function parseManifest(repository: string, text: string): OciPath {
  if (text.includes(':')) {
    return { kind: 'manifest', repository, reference: { digest: parseDigest(text) } }
  }
  if (!isTag(text)) return { kind: 'no_manifest', repository, tag: text }
  return { kind: 'manifest', repository, reference: { tag: text } }
}

/** Clients may write a repository's slashes and a digest's colon as `%2F` and `%3A`. @throws OciError NAME_INVALID */
export function decodePath(path: string): string {
  if (!path.includes('%')) return path
  try {
    return decodeURIComponent(path)
  } catch (error) {
    throw new OciError('NAME_INVALID', { path }, { cause: error })
  }
}

/**
 * Parses a decoded path; undefined where it is none of ours. Names may hold any of the words, so the end decides.
 *
 * @throws OciError NAME_INVALID, DIGEST_INVALID
 */
export function parseOciPath(path: string): OciPath | undefined {
  if (path === '/v2/' || path === '/v2') return { kind: 'base' }
  if (path === '/v2/_catalog') return { kind: 'catalog' }
  if (!path.startsWith('/v2/')) return undefined
  const segments = path.slice('/v2/'.length).split('/')
  const [last = '', second = '', third = ''] = segments.slice(-3).reverse()
  const repository = (count: number) => parseRepositoryName(segments.slice(0, -count).join('/'))

  if (second === 'manifests') return parseManifest(repository(2), last)
  if (third === 'blobs' && second === 'uploads') {
    if (last === '') return { kind: 'uploads', repository: repository(3) }
    if (!UPLOAD_ID.test(last)) throw new OciError('BLOB_UPLOAD_UNKNOWN')
    return { kind: 'upload', repository: repository(3), id: last }
  }
  if (second === 'blobs') {
    if (last === 'uploads') return { kind: 'uploads', repository: repository(2) }
    return { kind: 'blob', repository: repository(2), digest: parseDigest(last) }
  }
  if (second === 'tags' && last === 'list') return { kind: 'tags', repository: repository(2) }
  if (second === 'referrers') {
    return { kind: 'referrers', repository: repository(2), digest: parseDigest(last) }
  }
  return undefined
}

import type { Digest } from '../../lib/digest.ts'
import { OciError } from '../http/oci-error.ts'
import { isTag, parseDigest, parseRepositoryName } from '../http/oci-path.ts'

/** A parsed path under `/acr/v1/`. */
export type AcrPath =
  | { readonly kind: 'catalog' }
  | { readonly kind: 'repository'; readonly repository: string }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'tag'; readonly repository: string; readonly tag: string }
  | { readonly kind: 'manifests'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly digest: Digest }

/** Parses a decoded path; undefined where it is none of ours. @throws OciError NAME_INVALID, DIGEST_INVALID, TAG_INVALID */
export function parseAcrPath(path: string): AcrPath | undefined {
  if (path === '/acr/v1/_catalog') return { kind: 'catalog' }
  const match = /^\/acr\/v1\/(.+?)(?:\/(_tags|_manifests)(?:\/([^/]+))?)?\/?$/.exec(path)
  if (!match) return undefined
  const [, name = '', part, item] = match
  const repository = parseRepositoryName(name)
  if (part === '_tags') {
    if (item === undefined) return { kind: 'tags', repository }
    if (!isTag(item)) throw new OciError('TAG_INVALID', { tag: item })
    return { kind: 'tag', repository, tag: item }
  }
  if (part === '_manifests') {
    if (item === undefined) return { kind: 'manifests', repository }
    return { kind: 'manifest', repository, digest: parseDigest(item) }
  }
  return { kind: 'repository', repository }
}

import type { Digest } from '../../lib/digest.ts'
import { parseDigest, parseRepositoryName } from '../http/oci-path.ts'

/** A parsed path under `/acr/v1/_deleted/`, as `az acr repository list-deleted` and `az acr manifest restore` use them. */
export type DeletedPath =
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifests'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly digest: Digest }

const PREFIX = '/acr/v1/_deleted/'

/** No repository's name begins with an underscore. */
export const isDeletedPath = (path: string): boolean => path.startsWith(PREFIX)

/** Parses a decoded path; undefined where it is none of ours. @throws OciError NAME_INVALID, DIGEST_INVALID */
export function parseDeletedPath(path: string): DeletedPath | undefined {
  const rest = path.slice(PREFIX.length)
  if (rest === '_catalog') return { kind: 'catalog' }
  const match = /^(.+?)\/(_tags|_manifests)(?:\/([^/]+))?$/.exec(rest)
  if (!match) return undefined
  const [, name = '', part, item] = match
  const repository = parseRepositoryName(name)
  if (part === '_tags') return item === undefined ? { kind: 'tags', repository } : undefined
  if (item === undefined) return { kind: 'manifests', repository }
  return { kind: 'manifest', repository, digest: parseDigest(item) }
}

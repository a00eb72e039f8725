import { isWildcard } from '../../registry/cache/cache-rule.ts'
import { isRepository } from './image-reference.ts'

/** `docker.io/library/nginx` in two: where it is, and the repository or pattern there. */
export interface SourceRepository {
  /** Lower case, with its port where that is not 443. */
  readonly host: string
  readonly pattern: string
}

/** Reads `host/repository`, `host/prefix/*` or `host/*`; undefined for anything else. */
export function parseSource(text: string): SourceRepository | undefined {
  const slash = text.indexOf('/')
  const host = parseHost(text.slice(0, Math.max(slash, 0)))
  const pattern = text.slice(slash + 1)
  return host !== undefined && isPattern(pattern) ? { host, pattern } : undefined
}

/** Whether it is `repository`, `prefix/*` or `*`. */
export const isPattern = (text: string): boolean =>
  text === '*' || isRepository(isWildcard(text) ? text.slice(0, -2) : text)

/** A host with its port where that is not 443, in the one form that URLs have for it; undefined for anything else. */
export function parseHost(text: string): string | undefined {
  const address = `https://${text}`
  const url = text !== '' && URL.canParse(address) ? new URL(address) : undefined
  if (!url || url.href !== `https://${url.host}/`) return undefined
  return url.host.replace(/\.(?=:|$)/, '')
}

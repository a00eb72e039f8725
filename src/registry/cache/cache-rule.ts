/** From where a registry gets what it lacks. Repositories are one, `prefix/*`, or `*` for all; both sides alike. */
export interface CacheRule {
  readonly name: string
  /** The registry elsewhere: a host name in lower case, with its port where that is not 443. */
  readonly host: string
  readonly sourceRepository: string
  readonly targetRepository: string
  /** ARM id of the credential set to sign in with. */
  readonly credentialSet?: string
}

/** One repository elsewhere, as a rule leads to it. Plain data. */
export interface UpstreamRepository {
  readonly rule: string
  readonly host: string
  readonly repository: string
  readonly credentialSet?: string
}

/**
 * Where a repository's content comes from; undefined where no rule has it. A rule for this very repository goes before one
 * with a wildcard, and of those no two overlap.
 */
export function upstreamOf(
  rules: readonly CacheRule[] | undefined,
  repository: string,
): UpstreamRepository | undefined {
  const rule =
    rules?.find(({ targetRepository }) => targetRepository === repository) ??
    rules?.find(({ targetRepository }) => isWithin(targetRepository, repository))
  if (!rule) return undefined
  const { name, host, sourceRepository, targetRepository, credentialSet } = rule
  const rest = repository.slice(prefixOf(targetRepository).length)
  return {
    rule: name,
    host,
    repository: isWildcard(sourceRepository)
      ? `${prefixOf(sourceRepository)}${rest}`
      : sourceRepository,
    ...(credentialSet !== undefined && { credentialSet }),
  }
}

export const isWildcard = (pattern: string): boolean => pattern === '*' || pattern.endsWith('/*')

/** Whether a pattern with a wildcard has a repository, or all that another pattern has. */
export const isWithin = (pattern: string, inner: string): boolean =>
  isWildcard(pattern) && inner.startsWith(prefixOf(pattern))

/** `library/` of `library/*`, nothing of `*`. */
const prefixOf = (pattern: string): string => pattern.slice(0, -1)

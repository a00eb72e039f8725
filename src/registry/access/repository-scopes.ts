import type { RepositoryScopes } from '../registry-directory.ts'

/**
 * Whether an entry for the repository, for what lies above it, or for all repositories has the action: entries add to
 * each other, none takes away. Looked up, not searched, so that it does not matter how many there are.
 */
export function isInScope(scopes: RepositoryScopes, repository: string, action: string): boolean {
  const has = (pattern: string) => scopes.get(pattern)?.includes(action) === true
  if (has(repository) || has('*')) return true
  for (let end = repository.lastIndexOf('/'); end > 0; end = repository.lastIndexOf('/', end - 1)) {
    if (has(`${repository.slice(0, end)}/*`)) return true
  }
  return false
}

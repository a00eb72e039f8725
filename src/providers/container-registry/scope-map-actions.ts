import { invalidProperty } from '../../arm/arm-error.ts'
import type { RepositoryScopes } from '../../registry/registry-directory.ts'
import { isRepository } from './image-reference.ts'

/** Actions, and repositories, of one scope map: https://learn.microsoft.com/azure/container-registry/container-registry-skus */
const ACTIONS_MAX = 500

/** What the actions of scope maps are called in the tokens of a registry. */
const REGISTRY_ACTIONS: ReadonlyMap<string, string> = new Map([
  ['content/read', 'pull'],
  ['content/write', 'push'],
  ['content/delete', 'delete'],
  ['metadata/read', 'metadata_read'],
  ['metadata/write', 'metadata_write'],
])

interface ScopedAction {
  /** A repository, `prefix/*` or `*`. */
  readonly repository: string
  readonly action: string
}

const ACTION = /^repositories\/(.+)\/([^/]+\/[^/]+)$/

/** Reads `repositories/<repository>/content/read`. Undefined for anything else. */
function parseAction(text: string): ScopedAction | undefined {
  const [, repository = '', words = ''] = ACTION.exec(text) ?? []
  const action = REGISTRY_ACTIONS.get(words)
  return action && isPattern(repository) ? { repository, action } : undefined
}

// A wildcard stands for all of what is below a prefix, and for nothing less.
const isPattern = (text: string): boolean =>
  text === '*' || isRepository(text.endsWith('/*') ? text.slice(0, -2) : text)

/** @throws ArmError 400 for what is no action of a repository, or too many of them. */
export function requireValidActions(actions: readonly string[]): void {
  if (actions.length > ACTIONS_MAX) {
    throw invalidProperty(
      'properties.actions',
      `a scope map has at most ${ACTIONS_MAX} actions, and these are ${actions.length}.`,
    )
  }
  const wrong = actions.find((action) => !parseAction(action))
  if (wrong === undefined) return
  throw invalidProperty(
    'properties.actions',
    wrong.startsWith('gateway/')
      ? `'${wrong}' is for connected registries, which are not available here.`
      : `'${wrong}' is not 'repositories/<repository>/<action>', where the action is one of ${[...REGISTRY_ACTIONS.keys()].join(', ')}, and the repository is a name, '<prefix>/*' or '*'.`,
  )
}

/** What a scope map with these actions allows, as the registry plane looks it up. */
export function scopesOf(actions: readonly string[]): RepositoryScopes {
  const scopes = new Map<string, string[]>()
  for (const parsed of actions.map(parseAction)) {
    if (!parsed) continue
    const known = scopes.get(parsed.repository)
    if (known) known.push(parsed.action)
    else scopes.set(parsed.repository, [parsed.action])
  }
  return scopes
}

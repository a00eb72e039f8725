import type { SignIn } from '../../identity/principals.ts'
import type { RegistryIdentity } from '../identity.ts'
import type { RegistryFacts } from '../registry-directory.ts'
import { isInScope } from './repository-scopes.ts'
import type { Access } from './scope.ts'

/** Who is asking, once proven. */
export type Subject =
  | ({ readonly kind: 'principal' } & SignIn)
  | LocalSubject
  | { readonly kind: 'anonymous' }

/** A user whom the registry alone knows: its admin user or a token. `credential` says which password proved it. */
export interface LocalSubject {
  readonly kind: 'admin' | 'token'
  readonly username: string
  readonly credential: string
}

const AT = 'Microsoft.ContainerRegistry/registries'

/** Any one of the role actions is enough. AcrPull alone also lists and reads metadata, as in the service. */
const REPOSITORY_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  pull: [`${AT}/pull/read`],
  push: [`${AT}/push/write`],
  delete: [`${AT}/artifacts/delete`],
  metadata_read: [`${AT}/metadata/read`, `${AT}/pull/read`],
  metadata_write: [`${AT}/metadata/write`, `${AT}/push/write`],
  deleted_read: [`${AT}/deleted/read`],
  deleted_restore: [`${AT}/deleted/restore/action`],
}
/** Lists of the whole registry, by the names that clients ask for them. */
const LIST_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  catalog: [`${AT}/metadata/read`, `${AT}/pull/read`],
  deleted_catalog: [`${AT}/deleted/read`],
}
const ANONYMOUS_ACTIONS: readonly string[] = ['pull', 'metadata_read']

/** The part of what is asked for that the subject may have. Empty parts stay out. */
export function grant(
  identity: RegistryIdentity,
  registry: RegistryFacts,
  subject: Subject,
  asked: readonly Access[],
): readonly Access[] {
  const mayAny = (actions: readonly string[]) =>
    subject.kind === 'principal' &&
    actions.some((action) => identity.isAllowed(subject.principal, action, registry.id))

  const mayOnRepository = (repository: string, action: string): boolean => {
    if (subject.kind === 'admin') return action in REPOSITORY_ACTIONS
    if (subject.kind === 'token') {
      const token = registry.tokens.get(subject.username.toLowerCase())
      return token !== undefined && isInScope(token.scopes, repository, action)
    }
    if (subject.kind === 'anonymous') {
      return registry.anonymousPull && ANONYMOUS_ACTIONS.includes(action)
    }
    return mayAny(REPOSITORY_ACTIONS[action] ?? [])
  }

  const mayList = (list: string): boolean => {
    if (subject.kind === 'admin') return list in LIST_ACTIONS
    // No scope map grants it: https://learn.microsoft.com/azure/container-registry/container-registry-repository-scoped-permissions
    if (subject.kind === 'token') return false
    if (subject.kind === 'anonymous') return registry.anonymousPull && list === 'catalog'
    return mayAny(LIST_ACTIONS[list] ?? [])
  }

  return asked
    .map((access) => {
      if (access.type === 'repository') {
        const wanted = access.actions.includes('*')
          ? Object.keys(REPOSITORY_ACTIONS)
          : access.actions
        const actions = wanted.filter((action) => mayOnRepository(access.name, action))
        return { ...access, actions }
      }
      const isList = access.type === 'registry' && mayList(access.name)
      return { ...access, actions: isList ? ['*'] : [] }
    })
    .filter((access) => access.actions.length > 0)
}

/** The part of what a token allows that a request needs, so that no right is looked up for nothing. */
export const narrow = (
  allowed: readonly Access[],
  { scope, oneOf }: { readonly scope: Access; readonly oneOf: readonly string[] },
): readonly Access[] =>
  allowed
    .filter(({ type, name }) => type === scope.type && name === scope.name)
    .map((access) => ({
      ...access,
      actions: access.actions.filter((action) => action === '*' || oneOf.includes(action)),
    }))

/** Whether a token for this registry is worth anything to the subject. */
export const hasAnyRight = (
  identity: RegistryIdentity,
  registry: RegistryFacts,
  subject: Subject,
): boolean =>
  grant(identity, registry, subject, [{ type: 'repository', name: '*', actions: ['*'] }]).length > 0

/** `one of` the actions is enough. */
export const permits = (
  access: readonly Access[],
  type: string,
  name: string,
  oneOf: readonly string[],
): boolean =>
  access.some(
    (entry) =>
      entry.type === type &&
      entry.name === name &&
      entry.actions.some((action) => oneOf.includes(action)),
  )

/** One resource and what may be, or is to be, done with it: as a token's `access` and a challenge's `scope` say it. */
export interface Access {
  readonly type: string
  readonly name: string
  readonly actions: readonly string[]
}

/** `repository:samples/app:pull,push`. Undefined for what is no scope. */
export function parseScope(text: string): Access | undefined {
  const match = /^([^:\s]+):(.+):([^:]*)$/.exec(text)
  if (!match) return undefined
  const [, type = '', name = '', actions = ''] = match
  return { type, name, actions: actions.split(',').filter((action) => action !== '') }
}

export const formatScope = (access: Access): string =>
  `${access.type}:${access.name}:${access.actions.join(',')}`

/** Clients repeat the parameter, or put several scopes into one, apart by blanks. */
export const parseScopes = (values: readonly string[]): readonly Access[] =>
  values
    .flatMap((value) => value.split(' '))
    .map(parseScope)
    .filter((access) => access !== undefined)

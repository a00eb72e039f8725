import type { IncomingMessage, ServerResponse } from 'node:http'

/** The servers behind a name. */
export type Plane = 'control' | 'authority' | 'registry' | 'graph'

export type Planes = Readonly<
  Record<Plane, (request: IncomingMessage, response: ServerResponse) => void>
>

/** Names of the public cloud that lead here inside places. */
export const CLOUD_NAMES: ReadonlyMap<string, Plane> = new Map([
  ['management.azure.com', 'control'],
  ['login.microsoftonline.com', 'authority'],
  ['login.windows.net', 'authority'],
  ['login.microsoft.com', 'authority'],
  ['sts.windows.net', 'authority'],
  ['graph.microsoft.com', 'graph'],
  ['mcr.microsoft.com', 'registry'],
])

/** Where the public clouds have their registries: on the host nobody may take ours for theirs. */
const CLOUD_REGISTRY_DOMAINS = ['azurecr.io', 'azurecr.us', 'azurecr.cn']

/** Whether the operator owns the domain, and not a cloud whose names are only played here. */
export const isOwnDomain = (registryDomain: string): boolean =>
  !CLOUD_REGISTRY_DOMAINS.some(
    (domain) => registryDomain === domain || registryDomain.endsWith(`.${domain}`),
  )

/** The servers behind a name. */
export type Plane = 'control' | 'authority' | 'registry' | 'graph'

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

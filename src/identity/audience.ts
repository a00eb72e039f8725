/** Whom a token is meant for. */
export type Audience = 'arm' | 'registry' | 'graph'

const AUDIENCES: ReadonlyMap<string, Audience> = new Map([
  ['management.azure.com', 'arm'],
  ['management.core.windows.net', 'arm'],
  // The control plane by its addresses on the host, whatever the port was when the token was issued.
  ['localhost', 'arm'],
  ['127.0.0.1', 'arm'],
  ['containerregistry.azure.net', 'registry'],
  ['graph.microsoft.com', 'graph'],
])

/**
 * What a resource id such as `https://management.azure.com/` stands for; undefined when nothing here answers to it.
 * `hostNames` are the operator's own names of the control plane.
 */
export function audienceOf(
  resource: string,
  hostNames: readonly string[] = [],
): Audience | undefined {
  const url = URL.parse(resource)
  if (url?.protocol !== 'https:' || url.pathname !== '/' || url.search || url.username) {
    return undefined
  }
  if (hostNames.includes(url.hostname)) return 'arm'
  const audience = AUDIENCES.get(url.hostname)
  const isLoopback = url.hostname === 'localhost' || url.hostname === '127.0.0.1'
  return url.port === '' || isLoopback ? audience : undefined
}

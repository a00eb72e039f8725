import type { Plane } from './cloud-names.ts'

const GUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const AUTHORITY = new RegExp(
  `^/(?:adfs|common|(?:organizations|${GUID})/(?:v2\\.0|oauth2|discovery|\\.well-known))(?:/|$)`,
  'i',
)
const REGISTRY = /^\/(?:v2|acr|oauth2)(?:\/|$)/i
const GRAPH = /^\/(?:v1\.0|beta)(?:\/|$)/i

/** On the host everything has one name and port, so the path tells the plane. */
export function hostPlaneOf(url: string): Plane {
  const [path = '/'] = url.split('?')
  const clean = path.replace(/\/{2,}/g, '/')
  if (AUTHORITY.test(clean)) return 'authority'
  if (REGISTRY.test(clean)) return 'registry'
  return GRAPH.test(clean) ? 'graph' : 'control'
}

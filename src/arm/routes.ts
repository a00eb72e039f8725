import type { ArmAnswer, ArmRequest } from './exchange.ts'

export type Parameters = Readonly<Record<string, string>>

/** A path that names no resource. `{name}` stands for any one segment. */
export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly handle: (request: ArmRequest, parameters: Parameters) => Promise<ArmAnswer>
}

/** The first route that fits, with the values of its parameters. Literal segments match in any case. */
export function findRoute(
  routes: readonly Route[],
  method: string,
  segments: readonly string[],
): { readonly route: Route; readonly parameters: Parameters } | undefined {
  for (const route of routes) {
    const parameters = route.method === method ? match(route.path, segments) : undefined
    if (parameters) return { route, parameters }
  }
  return undefined
}

function match(path: string, segments: readonly string[]): Parameters | undefined {
  const pattern = path.split('/')
  if (pattern.length !== segments.length) return undefined
  const parameters: Record<string, string> = {}
  for (const [index, part] of pattern.entries()) {
    const segment = segments[index] ?? ''
    if (part.startsWith('{')) parameters[part.slice(1, -1)] = segment
    else if (part.toLowerCase() !== segment.toLowerCase()) return undefined
  }
  return parameters
}

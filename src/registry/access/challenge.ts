/** How a registry wants to be asked. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer'
      readonly realm: string
      readonly service?: string
      readonly scope?: string
    }

// A parameter, its value quoted or not, or else the name of a scheme.
const PIECE =
  /([a-z0-9_-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|([a-z][a-z0-9-]*)(?=[\s,]|$)/gi

/**
 * The first scheme of a `WWW-Authenticate` header that can be answered; undefined where there is none.
 * https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 */
export function parseChallenge(header: string): Challenge | undefined {
  const challenges: { scheme: string; values: Map<string, string> }[] = []
  for (const [, name, quoted, plain, scheme] of header.matchAll(PIECE)) {
    if (scheme) challenges.push({ scheme: scheme.toLowerCase(), values: new Map() })
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? ''
    if (name) challenges.at(-1)?.values.set(name.toLowerCase(), value)
  }
  for (const { scheme, values } of challenges) {
    if (scheme === 'basic') return { scheme }
    const realm = values.get('realm')
    if (scheme !== 'bearer' || !realm) continue
    const [service, scope] = [values.get('service'), values.get('scope')]
    return { scheme, realm, ...(service && { service }), ...(scope && { scope }) }
  }
  return undefined
}

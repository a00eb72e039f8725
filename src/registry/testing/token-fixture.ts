import { createHash } from 'node:crypto'
import type { TokenFacts } from '../registry-directory.ts'
import { basic, type Fixture } from './registry-fixture.ts'

/** What is kept of a password. */
export const hashOf = (password: string) => createHash('sha256').update(password).digest()

/** Gives the registry a token that pulls `app`, whose passwords are `one` and `two`; or another in its place. */
export function giveToken(registry: Fixture, name: string, given: Partial<TokenFacts> = {}): void {
  const token: TokenFacts = {
    name,
    isEnabled: true,
    passwords: [{ hash: hashOf('one') }, { hash: hashOf('two') }],
    scopes: new Map([['app', ['pull']]]),
    ...given,
  }
  const tokens = new Map(registry.facts.tokens).set(name.toLowerCase(), token)
  registry.facts = { ...registry.facts, tokens }
}

/** Asks for an access token as Docker does. */
export function askAs(
  registry: Fixture,
  [user, password]: readonly [user: string, password: string],
  ...scopes: readonly string[]
) {
  const query = scopes.map((scope) => `&scope=${encodeURIComponent(scope)}`).join('')
  return registry.send('GET', `/oauth2/token?service=${registry.address}${query}`, {
    authorization: basic(user, password),
  })
}

/** The `Authorization` header with an access token for the scopes; an empty text where there was none to be had. */
export async function bearerOf(
  registry: Fixture,
  login: readonly [user: string, password: string],
  ...scopes: readonly string[]
): Promise<string> {
  const answer = await askAs(registry, login, ...scopes)
  return answer.status === 200 ? `Bearer ${answer.json().access_token}` : ''
}

/** The status of a GET of the manifest `v1`. */
export async function pullStatus(registry: Fixture, authorization: string, repository = 'app') {
  const path = `/v2/${repository}/manifests/v1`
  return (await registry.send('GET', path, { authorization })).status
}

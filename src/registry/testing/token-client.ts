import { ADMIN, type Answer, type Ask, basic, type Fixture } from './registry-fixture.ts'

/** Sends as clients do that know a registry by its challenges alone. */
export type TokenClient = (method: string, path: string, ask?: Ask) => Promise<Answer>

/** Each request is sent without a token first and then again with the one that the refusal asks for. */
export function createTokenClient(registry: Fixture): TokenClient {
  return async (method, path, ask = {}) => {
    const refused = await registry.send(method, path, { ...ask, authorization: '' })
    if (refused.status !== 401) return refused
    const challenge = String(refused.headers['www-authenticate'])
    const [, realm = ''] = /realm="([^"]+)"/.exec(challenge) ?? []
    const query = new URLSearchParams()
    for (const [, name = '', value = ''] of challenge.matchAll(/(service|scope)="([^"]+)"/g)) {
      query.set(name, value)
    }
    const { pathname } = new URL(realm)
    const answer = await registry.send('GET', `${pathname}?${query}`, {
      authorization: basic(ADMIN.user, ADMIN.password),
    })
    const authorization = `Bearer ${answer.json().access_token}`
    return registry.send(method, path, { ...ask, authorization })
  }
}

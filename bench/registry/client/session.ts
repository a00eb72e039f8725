import { parseChallenge } from '../../../src/registry/access/challenge.ts'
import type { Access } from '../job.ts'
import { type Ask, createConnections, type Reply } from './connection.ts'

/** One client's connections to one registry. */
export interface Session {
  readonly access: Access
  /** A request with the repository's token. @throws unless the status is the one expected */
  call(repository: string, expected: number, method: string, url: string, ask?: Ask): Promise<Reply>
  /** The `Authorization` for a repository; undefined where the registry asks for none. */
  authorization(repository: string): Promise<string | undefined>
}

/** Opens no connection yet. Certificates are not checked: both sides' are of authorities that nobody trusts. */
export function openSession(access: Access): Session {
  const connections = createConnections(access)
  const known = new Map<string, Promise<string | undefined>>()

  function send(method: string, url: string, ask: Ask): Promise<Reply> {
    return connections.ask(method, pathOf(url), ask)
  }

  async function authorize(repository: string): Promise<string | undefined> {
    const first = await send('GET', '/v2/', {})
    if (first.status === 200) return undefined
    const { user = '', password = '' } = access.credentials ?? {}
    const basic = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    const challenge = parseChallenge(first.headers['www-authenticate'] ?? '')
    if (challenge?.scheme !== 'bearer') return basic
    const url = new URL(challenge.realm)
    url.searchParams.set('service', challenge.service ?? '')
    url.searchParams.set('scope', `repository:${repository}:pull,push,metadata_read`)
    url.searchParams.append('scope', 'registry:catalog:*')
    const answer = await send('GET', url.href, { headers: { authorization: basic } })
    if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.body}`)
    const { access_token } = JSON.parse(answer.body.toString()) as { access_token: string }
    return `Bearer ${access_token}`
  }

  function authorization(repository: string): Promise<string | undefined> {
    const made = known.get(repository) ?? authorize(repository)
    known.set(repository, made)
    return made
  }

  return {
    access,
    authorization,
    async call(repository, expected, method, url, ask = {}) {
      const value = await authorization(repository)
      const headers = { ...(value && { authorization: value }), ...ask.headers }
      const reply = await send(method, url, { ...ask, headers })
      if (reply.status === expected) return reply
      throw new Error(`${method} ${url}: ${reply.status} ${reply.body.toString().slice(0, 300)}`)
    },
  }
}

/** Both sides send their clients nowhere else. */
function pathOf(url: string): string {
  if (url.startsWith('/')) return url
  const { pathname, search } = new URL(url)
  return `${pathname}${search}`
}

import http from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import { parseChallenge } from '../../../src/registry/access/challenge.ts'
import type { Access } from '../job.ts'

export interface Reply {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Sent one after the other, each when the one before is on its way; without a length in the headers as chunks. */
  readonly parts?: Iterable<Buffer>
}

/** One client's connections to one registry. */
export interface Session {
  readonly access: Access
  /** A request with the repository's token. @throws unless the status is the one expected */
  call(repository: string, expected: number, method: string, url: string, ask?: Ask): Promise<Reply>
  /** The `Authorization` for a repository; undefined where the registry asks for none. */
  authorization(repository: string): Promise<string | undefined>
}

const CONNECTIONS_MAX = 64

/** Opens no connection yet. Certificates are not checked: both sides' are of authorities that nobody trusts. */
export function openSession(access: Access): Session {
  const module = access.origin.startsWith('https:') ? https : http
  const agent = new module.Agent({
    keepAlive: true,
    maxSockets: CONNECTIONS_MAX,
    rejectUnauthorized: false,
  })
  const known = new Map<string, Promise<string | undefined>>()

  function send(method: string, url: string, { headers = {}, body, parts }: Ask): Promise<Reply> {
    const { protocol, hostname, port, host, pathname, search } = new URL(url, access.origin)
    return new Promise((resolve, reject) => {
      const request = module.request({
        ...{ protocol, agent, method, host: hostname, port },
        ...(protocol === 'https:' && namedBy(hostname)),
        path: `${pathname}${search}`,
        headers: { host, ...headers },
      })
      request.once('error', reject)
      request.once('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.once('error', reject)
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        )
      })
      if (parts) sendParts(request, parts)
      else request.end(body)
    })
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

/** A client that goes to an address names no server. */
export const namedBy = (hostname: string): { readonly servername?: string } =>
  isIP(hostname) ? {} : { servername: hostname }

function sendParts(request: http.ClientRequest, parts: Iterable<Buffer>): void {
  const iterator = parts[Symbol.iterator]()
  const go = () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) {
      if (request.write(next.value)) continue
      request.once('drain', go)
      return
    }
    request.end()
  }
  go()
}

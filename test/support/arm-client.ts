import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { CreatedPrincipal } from '../../src/operator/contract.ts'
import type { Causeway } from './causeway.ts'
import { fetchOverTls, type HttpAnswer } from './https-client.ts'
import { succeeded } from './run.ts'

const API_VERSIONS: readonly (readonly [part: RegExp, apiVersion: string])[] = [
  [/\/Microsoft\.ContainerRegistry(\/|$)/i, '2023-07-01'],
  [/\/Microsoft\.Network\/privateDnsZones(\/|$)/i, '2020-06-01'],
  [/\/Microsoft\.Network(\/|$)/i, '2022-07-01'],
  [/\/Microsoft\.Authorization(\/|$)/i, '2022-04-01'],
]
const OTHERWISE = '2021-04-01'
const WAIT_SECONDS = 60

/** What ARM answers with, as far as tests look into it. */
export interface ArmDocument {
  readonly id?: string
  readonly name?: string
  readonly properties?: Readonly<Record<string, unknown>>
  readonly value?: readonly ArmDocument[]
  readonly error?: { readonly code: string; readonly message: string }
}

export interface ArmAnswer<T = ArmDocument> {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: T
}

/** ARM as a program on the host uses it: loopback, the host's CA, a bearer token. Paths are ids. */
export interface ArmClient {
  readonly subscription: string
  send<T = ArmDocument>(method: string, path: string, body?: unknown): Promise<ArmAnswer<T>>
  /** The same for a body that is not ours to encode. */
  sendText<T = ArmDocument>(method: string, path: string, text: string): Promise<ArmAnswer<T>>
  get<T = ArmDocument>(path: string): Promise<ArmAnswer<T>>
  /** As `send`, and then waits for the operation's end; returns the last answer that was not 'still running'. */
  put<T = ArmDocument>(path: string, body: unknown): Promise<ArmAnswer<T>>
  patch<T = ArmDocument>(path: string, body: unknown): Promise<ArmAnswer<T>>
  post<T = ArmDocument>(path: string, body?: unknown): Promise<ArmAnswer<T>>
  delete<T = ArmDocument>(path: string): Promise<ArmAnswer<T>>
}

/** Makes a principal, Owner of the subscription unless another role is named, and signs it in. */
export async function createArmClient(
  causeway: Pick<Causeway, 'status' | 'command'>,
  role = 'Owner',
): Promise<ArmClient> {
  const { urls, authorities, subscriptionId } = await causeway.status()
  const ca = await readFile(authorities.host, 'utf8')
  const control = urls.control.replace(/\/$/, '')
  const created = await causeway.command([
    ...['principal', 'create', `test-${role.toLowerCase()}`],
    ...['--role', role, '--scope', `/subscriptions/${subscriptionId}`, '--json'],
  ])
  const token = await signIn(control, ca, JSON.parse(succeeded(created)) as CreatedPrincipal)
  const exchange: Exchange = (path, request) =>
    fetchOverTls(new URL(path, control).href, {
      ...request,
      ca,
      headers: { ...request.headers, authorization: `Bearer ${token}` },
    })
  return armClientOver(exchange, `/subscriptions/${subscriptionId}`)
}

/** Carries one request to the control plane; it knows where that is and who asks. */
export type Exchange = (
  path: string,
  request: {
    readonly method: string
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
  },
) => Promise<HttpAnswer>

/** The same over connections of somebody else's, as from within a place. */
export function armClientOver(exchange: Exchange, subscription: string): ArmClient {
  const sendText = async <T>(method: string, path: string, text?: string) => {
    const separator = path.includes('?') ? '&' : '?'
    const versioned = path.includes('api-version=')
      ? path
      : `${path}${separator}api-version=${versionFor(path)}`
    const answer = await exchange(versioned, {
      method,
      headers: text === undefined ? {} : { 'content-type': 'application/json' },
      ...(text !== undefined && { body: text }),
    })
    const body = (answer.text === '' ? {} : JSON.parse(answer.text)) as T
    return { status: answer.status, headers: answer.headers, body }
  }
  const send = <T>(method: string, path: string, body?: unknown) =>
    sendText<T>(method, path, body === undefined ? undefined : JSON.stringify(body))

  // Polls the way clients do: the operation's own URL, then the resource or the final answer at Location.
  const sendAndWait = async <T>(method: string, path: string, body?: unknown) => {
    const first = await send<T>(method, path, body)
    const operation = first.headers['azure-asyncoperation']
    const monitor = operation ?? first.headers.location
    if (typeof monitor !== 'string' || first.status >= 300) return first
    for (const deadline = Date.now() + WAIT_SECONDS * 1000; ; await delay(100)) {
      assert.ok(Date.now() < deadline, `${method} ${path} did not end in ${WAIT_SECONDS} s`)
      const poll = await send<{ status?: string } & T>('GET', pathOf(monitor))
      if (operation === undefined) {
        if (poll.status !== 202) return poll
        continue
      }
      if (poll.body.status === 'Succeeded') break
      if (poll.body.status === 'Failed' || poll.body.status === 'Canceled') return poll
    }
    return method === 'DELETE' || method === 'POST' ? first : send<T>('GET', path)
  }

  return {
    subscription,
    send,
    sendText,
    get: (path) => send('GET', path),
    put: (path, body) => sendAndWait('PUT', path, body),
    patch: (path, body) => sendAndWait('PATCH', path, body),
    post: (path, body) => sendAndWait('POST', path, body),
    delete: (path) => sendAndWait('DELETE', path),
  }
}

/** The document of an answer that must be a success. */
export function accepted<T>(answer: ArmAnswer<T>): T {
  assert.ok(answer.status < 300, `${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

/** Checks a refusal: status and code. Returns its message. */
export function refused(answer: ArmAnswer, status: number, code: string): string {
  assert.deepEqual(
    { status: answer.status, code: answer.body.error?.code },
    { status, code },
    JSON.stringify(answer.body),
  )
  return answer.body.error?.message ?? ''
}

async function signIn(control: string, ca: string, created: CreatedPrincipal): Promise<string> {
  const metadata = await fetchOverTls(`${control}/metadata/endpoints?api-version=2015-01-01`, {
    ca,
  })
  const { authentication } = JSON.parse(metadata.text) as {
    authentication: { loginEndpoint: string; audiences: readonly [string] }
  }
  const answer = await fetchOverTls(`${authentication.loginEndpoint}/oauth2/token`, {
    method: 'POST',
    ca,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: created.appId,
      client_secret: created.secret ?? '',
      scope: `${authentication.audiences[0]}/.default`,
    }).toString(),
  })
  assert.equal(answer.status, 200, answer.text)
  return (JSON.parse(answer.text) as { access_token: string }).access_token
}

const versionFor = (path: string): string =>
  API_VERSIONS.find(([part]) => part.test(path))?.[1] ?? OTHERWISE

function pathOf(url: string): string {
  const { pathname, search } = new URL(url)
  return `${pathname}${search}`
}

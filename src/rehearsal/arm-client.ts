import { Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'

/** A client of the control plane's public interface, as `az` is one. */
export interface ArmClient {
  /** Sends and, where the answer is 202 with a `Location`, waits for the end. Returns the body. @throws ArmRefusal */
  send<T>(
    method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE',
    id: string,
    body?: unknown,
  ): Promise<T>
  close(): void
}

export interface ArmClientOptions {
  /** `https://localhost:7443`. */
  readonly url: string
  /** PEM of the CA that signed it. */
  readonly ca: string
  readonly clientId: string
  readonly clientSecret: string
}

/** The control plane said no, or a long operation failed. */
export class ArmRefusal extends Error {
  override readonly name = 'ArmRefusal'
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

const API_VERSION = '2024-05-01'
const OPERATION_SECONDS = 60

export function createArmClient(options: ArmClientOptions): ArmClient {
  const agent = new Agent({ ca: options.ca, keepAlive: true })
  let token: string | undefined

  async function exchange(
    method: string,
    url: URL,
    headers: Record<string, string>,
    content?: string,
  ): Promise<{ status: number; headers: Record<string, unknown>; body: unknown }> {
    const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      request(url, { method, agent, headers }, resolve).once('error', reject).end(content)
    })
    const received = await text(response)
    const body: unknown = received === '' ? undefined : JSON.parse(received)
    return { status: response.statusCode ?? 0, headers: response.headers, body }
  }

  async function signIn(): Promise<string> {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: options.clientId,
      client_secret: options.clientSecret,
      scope: `${options.url}//.default`,
    })
    const answer = await exchange(
      'POST',
      new URL('/adfs/oauth2/token', options.url),
      { 'content-type': 'application/x-www-form-urlencoded' },
      form.toString(),
    )
    const body = answer.body as {
      access_token?: string
      error?: string
      error_description?: string
    }
    if (answer.status !== 200 || !body.access_token) {
      throw new ArmRefusal(answer.status, body.error ?? '', body.error_description ?? '')
    }
    return body.access_token
  }

  async function call(method: string, target: string, body?: unknown) {
    token ??= await signIn()
    const url = new URL(target, options.url)
    if (!url.searchParams.has('api-version')) url.searchParams.set('api-version', API_VERSION)
    const answer = await exchange(
      method,
      url,
      { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body === undefined ? undefined : JSON.stringify(body),
    )
    if (answer.status >= 400) throw refusalOf(answer.status, answer.body)
    return answer
  }

  return {
    async send<T>(method: string, id: string, body?: unknown) {
      let answer = await call(method, id, body)
      const deadline = Date.now() + OPERATION_SECONDS * 1000
      while (answer.status === 202 && typeof answer.headers.location === 'string') {
        if (Date.now() > deadline) {
          throw new ArmRefusal(
            202,
            'Timeout',
            `${method} ${id} goes on after ${OPERATION_SECONDS} s`,
          )
        }
        const { location } = answer.headers
        answer = await call('GET', location)
        if (answer.status === 202) await delay(50)
      }
      return answer.body as T
    },
    close: () => agent.destroy(),
  }
}

function refusalOf(status: number, body: unknown): ArmRefusal {
  const { error } = (body ?? {}) as { error?: { code?: string; message?: string } }
  const bare = body as { code?: string; message?: string } | undefined
  return new ArmRefusal(
    status,
    error?.code ?? bare?.code ?? '',
    error?.message ?? bare?.message ?? `HTTP ${status}`,
  )
}

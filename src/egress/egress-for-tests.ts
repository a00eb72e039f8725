import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { startTlsServer } from '../../test/support/tls-server.ts'
import { systemClock } from '../lib/clock.ts'
import { parseAllowList } from './allow-list.ts'
import { createEgress, type Egress, type EgressAnswer } from './create-egress.ts'
import type { OwnTargets, Resolve } from './find-target.ts'
import type { Patience } from './send.ts'

interface Lifetime {
  after(hook: () => Promise<void>): void
}

export interface Event {
  readonly who: string
  readonly what: string
  readonly hops: readonly { readonly host: string; readonly address?: string }[]
  readonly bytes: number
  readonly outcome: string
}

export const NOTHING_OWN: OwnTargets = { isOwnName: () => false, ports: () => [] }

/** An egress that knows the names it is given and trusts the authorities it is given, and what it logs. */
export function openEgress(
  options: {
    readonly allow?: readonly string[]
    readonly authorities?: readonly string[]
    readonly names?: Readonly<Record<string, readonly string[]>>
    readonly resolve?: Resolve
    readonly own?: OwnTargets
    readonly patience?: Partial<Patience>
  } = {},
) {
  const events: Event[] = []
  const asked: string[] = []
  const byName: Resolve = async (host) => options.names?.[host] ?? []
  const egress = createEgress({
    allow: parseAllowList(options.allow ?? ['127.0.0.0/8']),
    own: options.own ?? NOTHING_OWN,
    log: { info: (event: unknown) => void events.push(event as Event) },
    clock: systemClock,
    authorities: options.authorities ?? [],
    resolve(host) {
      asked.push(host)
      return (options.resolve ?? byName)(host)
    },
    ...(options.patience && { patience: options.patience }),
  })
  return { egress, events, asked }
}

/** A server that keeps what it was asked, and an egress that may reach it as `registry.test` and `other.test`. */
export async function openServed(
  t: Lifetime,
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  options: Parameters<typeof openEgress>[0] = {},
) {
  const requests: IncomingMessage[] = []
  const listener: RequestListener = (request, response) => {
    requests.push(request)
    handler(request, response)
  }
  const server = await startTlsServer(listener, ['registry.test', 'other.test'])
  t.after(() => server.close())
  const opened = openEgress({
    names: { 'registry.test': ['127.0.0.1'], 'other.test': ['127.0.0.1'] },
    authorities: [server.authority],
    ...options,
  })
  const urlOf = (path: string, host = 'registry.test') => `https://${host}:${server.port}${path}`
  return { ...opened, server, requests, urlOf }
}

export const ask = {
  who: 'somebody',
  what: 'a test',
  bytesMax: 1 << 20,
  timeoutSeconds: 20,
} as const

/** Fetches and reads the whole body. */
export async function fetchText(
  egress: Egress,
  url: string,
  more: Partial<Parameters<Egress['fetch']>[0]> = {},
): Promise<EgressAnswer & { readonly text: string }> {
  const answer = await egress.fetch({ ...ask, url, ...more })
  const chunks: Uint8Array[] = []
  for await (const chunk of answer.body) chunks.push(chunk)
  return { ...answer, text: Buffer.concat(chunks).toString() }
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { openTrail } from '../audit/audit-for-tests.ts'
import { openServed } from '../egress/egress-for-tests.ts'
import { systemClock } from '../lib/clock.ts'
import type { ContentChange } from '../registry/events/registry-events.ts'
import { createWebhookQueue } from './create-webhook-queue.ts'
import type { Callback, WebhookFacts } from './webhook-source.ts'

/** What a receiver has heard. */
export interface Heard {
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  readonly event: { readonly id: string; readonly action: string; readonly target?: unknown }
}

type Answer = (heard: Heard, response: ServerResponse) => void

const OK: Answer = (_heard, response) => void response.writeHead(200).end('thank you')

interface Lifetime {
  after(hook: () => Promise<void>): void
}

/** A queue with a database of its own and a receiver behind TLS that answers as the test says. */
export async function openQueue(
  t: Lifetime,
  options: { readonly answer?: Answer; readonly pausesSeconds?: readonly number[] } = {},
) {
  const heard: Heard[] = []
  let answer = options.answer ?? OK
  const { database } = await openTrail(t)
  const { kysely } = database
  const served = await openServed(t, async (request, response) => {
    const body = await buffer(request)
    const { url = '', headers } = request
    const one = { url, headers, body, event: JSON.parse(body.toString()) }
    heard.push(one)
    answer(one, response)
  })
  const facts: WebhookFacts[] = []
  const callbacks = new Map<string, Callback>()
  const logged: unknown[] = []
  const open = () => {
    const log = (...event: unknown[]) => void logged.push(event)
    const opened = createWebhookQueue({
      kysely,
      source: {
        ofRegistry: (uid) => (uid === 'registry' ? facts : []),
        callbackOf: (uid) => callbacks.get(uid),
        uids: () => [...callbacks.keys()],
      },
      outward: served.egress,
      sealer: {
        seal: (text) => `sealed:${Buffer.from(text).toString('base64')}`,
        unseal: (text) => Buffer.from(text.slice(7), 'base64').toString(),
      },
      clock: systemClock,
      log: { info: log, error: log },
      pausesSeconds: options.pausesSeconds ?? [0.05, 0.05, 0.05],
    })
    t.after(() => opened.close())
    return opened
  }
  const queue = open()
  return {
    ...served,
    database,
    heard,
    logged,
    queue,
    callbacks,
    /** Another queue on the same rows, as after a restart. */
    open,
    /** From now on the receiver answers so. */
    answerWith(next: Answer) {
      answer = next
    },
    add(uid: string, change: Partial<WebhookFacts & Callback> = {}) {
      const { isEnabled = true, scope = '', actions = ['push', 'delete'] } = change
      facts.push({ uid, isEnabled, scope, actions })
      callbacks.set(uid, {
        serviceUri: change.serviceUri ?? served.urlOf(`/${uid}`),
        customHeaders: change.customHeaders ?? {},
        signingSecret: change.signingSecret ?? `secret of ${uid}`,
      })
    },
    record: (change: Partial<ContentChange> = {}, to = queue) =>
      kysely.transaction().execute((transaction) =>
        to.record(
          transaction,
          [
            {
              operation: 'Push',
              status: 201,
              registry: 'registry',
              repository: 'app',
              tag: 'v1',
              digest: 'sha256:1',
              mediaType: 'manifest',
              size: 7,
              ...change,
            },
          ],
          OCCASION,
        ),
      ),
  }
}

export const OCCASION = {
  registryId: '/registries/one',
  loginServer: 'one.azurecr.io',
  region: 'westeurope',
  correlationId: 'c1',
  time: '2026-05-01T10:00:00.000Z',
  caller: { kind: 'User', id: 'object-somebody', name: 'somebody' },
  address: '10.0.0.9',
  place: 'net-12345678',
  host: 'one.azurecr.io',
  method: 'PUT',
  userAgent: 'a client',
} as const

/** Waits until something holds; fails when it never does. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 30_000; !(await holds()); ) {
    if (Date.now() > deadline) throw new Error('it never came to that')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Principal } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import type { OperationRow, OperationRows } from '../storage/operation-rows.ts'
import { ArmError } from './arm-error.ts'
import type { ArmAnswer, ArmRequest } from './exchange.ts'
import type { Sealer } from './services.ts'

const TRIES_MAX = 3
const PAUSE_MILLISECONDS = 1000
// Nobody asks for an outcome a day later.
const KEPT_MILLISECONDS = 24 * 60 * 60 * 1000
const RETRY_AFTER = '1'
// A first poll comes at once; most operations are done within this.
const POLL_PATIENCE_MILLISECONDS = 250

/** What an operation is to do. It is stored sealed, for it may hold credentials. */
export interface OperationInput {
  readonly kind: 'deleteGroup' | 'action'
  readonly target: string
  /** When the target was made: one made later under the same id is not meant. */
  readonly targetMadeAt: string
  readonly principal: Principal
  readonly action?: string
  readonly body?: unknown
  readonly segments?: readonly string[]
}

/**
 * Does what an operation is for and returns the body of its answer. May be called again after a crash, and after
 * `signal` ended it early, which it tells by throwing the signal's reason.
 */
export type Executor = (input: OperationInput, signal: AbortSignal) => Promise<unknown>

export interface Operations {
  /** Stores an operation, starts it and returns its id. */
  begin(input: OperationInput): Promise<string>
  /** The 202 that leads a client to an operation. */
  accepted(request: ArmRequest, path: string): ArmAnswer
  /** The answer of the `Location`: 202 while it runs, then its outcome. undefined where there is none, or not for this principal. */
  poll(request: ArmRequest, id: string): Promise<ArmAnswer | undefined>
  /** Takes up what was running when the process ended, and forgets what ended long ago. */
  resume(): Promise<void>
  /** Ends what takes long and lets the rest come to its end; starts nothing more. What was ended goes on at the next start. */
  close(): Promise<void>
}

export function createOperations(options: {
  readonly rows: OperationRows
  readonly sealer: Sealer
  readonly clock: Clock
  readonly log: Logger
  readonly execute: Executor
}): Operations {
  const { rows, sealer, clock, log } = options
  const running = new Map<string, Promise<void>>()
  const closing = new AbortController()

  async function run(id: string, input: OperationInput, triesBefore: number): Promise<void> {
    for (let tries = triesBefore + 1; !closing.signal.aborted; tries++) {
      await rows.begin(id)
      const outcome = await attempt(input, tries)
      if (outcome) {
        await rows.end(id, outcome, clock.now())
        return
      }
      await delay(PAUSE_MILLISECONDS * tries, undefined, { signal: closing.signal }).catch(() => {})
    }
  }

  async function attempt(input: OperationInput, tries: number) {
    const { kind, target } = input
    try {
      const body = await options.execute(input, closing.signal)
      const result = body === undefined ? null : sealer.seal(JSON.stringify(body))
      return { state: 'Succeeded', error: null, result } as const
    } catch (error) {
      if (error === closing.signal.reason) return undefined
      if (error instanceof ArmError) {
        const shown = { status: error.status, body: error.body }
        return { state: 'Failed', error: JSON.stringify(shown), result: null } as const
      }
      log.error({ err: error, kind, target, tries }, 'an operation failed')
      if (tries < TRIES_MAX) return undefined
      return { state: 'Failed', error: JSON.stringify(INTERNAL), result: null } as const
    }
  }

  function start(id: string, input: OperationInput, tries: number): void {
    const done = run(id, input, tries)
      .catch((error) => log.error({ err: error, operation: id }, 'an operation was lost'))
      .finally(() => running.delete(id))
    running.set(id, done)
  }

  const inputOf = (row: OperationRow): OperationInput => JSON.parse(sealer.unseal(row.input))

  return {
    async begin(input) {
      const id = randomUUID()
      const sealed = sealer.seal(JSON.stringify(input))
      await rows.insert({ id, kind: input.kind, target: input.target, input: sealed }, clock.now())
      start(id, input, 0)
      return id
    },
    accepted: (request, path) => ({
      status: 202,
      headers: {
        location: `${request.baseUrl}${path}?api-version=${encodeURIComponent(request.apiVersion)}`,
        'retry-after': RETRY_AFTER,
      },
    }),
    async poll(request, id) {
      await Promise.race([running.get(id), delay(POLL_PATIENCE_MILLISECONDS)])
      const row = await rows.byId(id)
      if (!row || inputOf(row).principal.objectId !== request.principal.objectId) return undefined
      if (row.state === 'Running') {
        const headers = { location: `${request.baseUrl}${request.url}`, 'retry-after': RETRY_AFTER }
        return { status: 202, headers }
      }
      if (row.error !== null) {
        const { status, body } = JSON.parse(row.error)
        throw new ArmError(status, body)
      }
      return {
        status: 200,
        ...(row.result !== null && { body: JSON.parse(sealer.unseal(row.result)) }),
      }
    },
    async resume() {
      await rows.forgetEndedBefore(new Date(clock.now().getTime() - KEPT_MILLISECONDS))
      for (const row of await rows.running()) {
        if (!running.has(row.id)) start(row.id, inputOf(row), row.tries)
      }
    },
    async close() {
      closing.abort()
      await Promise.all(running.values())
    },
  }
}

const INTERNAL = {
  status: 500,
  body: {
    code: 'InternalServerError',
    message: 'The server failed to process the request.',
  },
} as const

import type net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { CannotStart } from '../lib/cannot-start.ts'
import { type Callable, ChannelClosed } from './rpc.ts'
import type { Takers } from './share-tls.ts'
import type {
  HandedConnection,
  WorkerFunctions,
  WorkerPlace,
  WorkerStart,
} from './worker-contract.ts'
import type { WorkerProcess } from './worker-process.ts'

export interface WorkerStatus {
  readonly slot: number
  /** Absent for a moment, while one takes the other's place. */
  readonly pid?: number
  readonly state: 'serving' | 'starting'
  /** How often it was replaced. */
  readonly replaced: number
}

/** What the server offers to workers, and what they begin with. */
export interface WorkerOffer {
  readonly objects: Readonly<Record<string, Callable<object>>>
  /** Asked for each worker that begins. */
  startOf(place: WorkerPlace): WorkerStart
}

/** The processes that serve the registry plane. */
export interface WorkerPool extends Takers {
  /** Has them begin; those that come later begin the same way. @throws CannotStart */
  begin(offer: WorkerOffer): Promise<void>
  /** Asks something of all who serve. It is in effect in each when this resolves; who does not answer in time is ended, and so are its connections. */
  tell(work: (functions: WorkerFunctions) => Promise<void>): Promise<void>
  /** Asks those who serve; who does not answer in time is left out. */
  ask<T>(question: (functions: WorkerFunctions) => Promise<T>): Promise<readonly T[]>
  list(): readonly WorkerStatus[]
  close(): Promise<void>
}

interface Slot extends WorkerPlace {
  process?: WorkerProcess
  /** Whether it is told of what changes. */
  isFollowing: boolean
  /** Whether it gets connections. */
  isServing: boolean
  replaced: number
}

interface Waiting {
  readonly socket: net.Socket
  readonly connection: HandedConnection
  readonly isWanted: () => boolean
}

const BEGIN_MS_MAX = 30_000
const ANSWER_MS_MAX = 5000
const QUESTION_MS_MAX = 1000
const WAITING_MS_MAX = 10_000
/** Who dies sooner than that is replaced with some delay, which doubles each time. */
const STEADY_MS = 5000
const DELAY_MS = 100
const DELAY_MS_MAX = 5000

/** Starts `slots` processes, which load while the server opens what they are to serve. */
export function createWorkerPool(
  slots: number,
  options: { readonly log: Logger; readonly start: () => WorkerProcess },
): WorkerPool {
  const { log, start } = options
  const offered = Promise.withResolvers<WorkerOffer>()
  const first = Promise.withResolvers<void>()
  const waiting: Waiting[] = []
  let next = 0
  let isClosed = false
  // Who asks for neither must not bring the process down.
  offered.promise.catch(() => {})
  first.promise.catch(() => {})

  const all: readonly Slot[] = Array.from({ length: slots }, (_, slot) => ({
    slot,
    slots,
    isFollowing: false,
    isServing: false,
    replaced: 0,
  }))
  startAll()

  /** The first by itself: the others find compiled what it had to compile, and need not have what compiles. */
  function startAll(): void {
    const [one, ...others] = all
    if (!one) return
    void keepServing(one)
    // Should it die before, the others wait no longer for it.
    Promise.race([one.process?.loaded, one.process?.ended]).then(() => {
      for (const each of others) void keepServing(each)
    })
  }

  async function keepServing(slot: Slot): Promise<void> {
    for (let soon = 0; !isClosed; ) {
      const process = start()
      slot.process = process
      const startedAt = Date.now()
      beginIn(slot, process).catch((error) => {
        if (isClosed) return
        log.error({ err: error, worker: slot.slot, pid: process.pid }, 'a worker did not begin')
        first.reject(error)
        process.kill()
      })
      const how = await process.ended
      slot.isFollowing = false
      slot.isServing = false
      delete slot.process
      if (isClosed) return
      log.error({ worker: slot.slot, pid: process.pid, how }, 'a worker ended and is replaced')
      soon = Date.now() - startedAt < STEADY_MS ? soon + 1 : 0
      // The first time without delay: uploads of this slot wait for nobody else.
      if (soon > 1) await delay(Math.min(DELAY_MS * 2 ** (soon - 2), DELAY_MS_MAX))
      slot.replaced += 1
    }
  }

  async function beginIn(slot: Slot, process: WorkerProcess): Promise<void> {
    const offer = await offered.promise
    await process.loaded
    for (const [name, object] of Object.entries(offer.objects)) process.rpc.serve(name, object)
    const begun = process.functions.start(offer.startOf({ slot: slot.slot, slots }))
    // From here on it is told of what changes, in order after what it begins with.
    slot.isFollowing = true
    await within(BEGIN_MS_MAX, begun)
    slot.isServing = true
    log.info({ worker: slot.slot, pid: process.pid }, 'a worker serves')
    if (all.every(({ isServing }) => isServing)) first.resolve()
    for (const each of waiting.splice(0)) give(each)
  }

  function give({ socket, connection, isWanted }: Waiting): void {
    if (socket.destroyed) return
    if (isClosed || !isWanted()) return void socket.destroy()
    const serving = all.flatMap(({ isServing, process }) => (isServing && process ? process : []))
    const process = serving[next % Math.max(serving.length, 1)]
    next += 1
    if (!process) {
      wait({ socket, connection, isWanted })
      return
    }
    let isTaken = false
    process.hand(socket, connection, () => {
      isTaken = true
      // The connection lives on in the other process.
      socket.destroy()
    })
    process.ended.then(() => {
      if (!isTaken) give({ socket, connection, isWanted })
    })
  }

  function wait(each: Waiting): void {
    waiting.push(each)
    const guard = setTimeout(() => each.socket.destroy(), WAITING_MS_MAX)
    each.socket.once('close', () => clearTimeout(guard))
  }

  const pool: WorkerPool = {
    async begin(offer) {
      offered.resolve(offer)
      await within(BEGIN_MS_MAX, first.promise).catch((cause) => {
        throw new CannotStart(
          "A worker process did not begin; 'causeway logs' has the reason. '--workers 0' serves without.",
          { cause },
        )
      })
    },

    async tell(work) {
      await Promise.all(
        all.map(async ({ isFollowing, process, slot }) => {
          if (!process || !isFollowing) return
          try {
            await within(ANSWER_MS_MAX, work(process.functions))
          } catch (error) {
            if (!(error instanceof ChannelClosed)) {
              log.error({ err: error, worker: slot, pid: process.pid }, 'a worker does not follow')
            }
            process.kill()
            await process.ended
          }
        }),
      )
    },

    async ask(question) {
      const serving = all.flatMap(({ isServing, process }) => (isServing && process ? process : []))
      const answers = await Promise.allSettled(
        serving.map(({ functions }) => within(QUESTION_MS_MAX, question(functions))),
      )
      return answers.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    },

    take: (socket, connection, isWanted) => give({ socket, connection, isWanted }),
    closeListener: (listener) => pool.tell((worker) => worker.closeListener(listener)),

    list: () =>
      all.map(({ slot, process, isServing, replaced }) => ({
        slot,
        ...(process && { pid: process.pid }),
        state: isServing ? 'serving' : 'starting',
        replaced,
      })),

    async close() {
      isClosed = true
      // Who waits for a start that is given up is not to wait as long as a start may take.
      first.reject(new Error('the pool has been closed'))
      for (const { socket } of waiting.splice(0)) socket.destroy()
      await Promise.all(all.map(({ process }) => process?.end()))
    },
  }
  return pool
}

/** @throws Error when it takes longer */
async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const guard = setTimeout(
    () => late.reject(new Error(`no answer within ${milliseconds} ms`)),
    milliseconds,
  )
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(guard)
  }
}

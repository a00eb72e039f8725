import { Worker } from 'node:worker_threads'
import type { DigestAlgorithm } from '../lib/digest.ts'

/** A hash of a file's first bytes, taken while more of them are written. */
export interface FollowingHash {
  /** So many bytes are in the file by now. */
  reach(bytes: number): void
  /** The digest of so many bytes, hex. @throws where they cannot be read */
  digest(bytes: number): Promise<string>
  /** Nobody will ask again. */
  drop(): void
}

/** Hashes files, so that whoever writes them need not: hashing takes as long as receiving over TLS. */
export interface HashThread {
  follow(file: string, algorithm: DigestAlgorithm): FollowingHash
}

const PROGRAM = new URL('hash-thread-program.js', import.meta.url)
/** Starting takes 50 ms, and being there 12 MiB. */
const IDLE_MS = 30_000
const LIMITS = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 }

type Answer = { readonly id: number } & ({ readonly hex: string } | { readonly failure: string })

/**
 * One thread for all files, there while there is something to do. It reads what was just written, which the system still has in memory. When
 * it ends, hashes begin anew in the next one.
 */
export function createHashThread(): HashThread {
  const waiting = new Map<number, PromiseWithResolvers<string>>()
  let thread: Worker | undefined
  let idle: NodeJS.Timeout | undefined
  let hashes = 0

  function start(): Worker {
    const started = new Worker(PROGRAM, { execArgv: [], resourceLimits: LIMITS })
    started.unref()
    started.on('message', (answer: Answer) => {
      const asked = settled(answer.id)
      if ('hex' in answer) asked?.resolve(answer.hex)
      else asked?.reject(new Error(`a file was not hashed: ${answer.failure}`))
    })
    started.once('error', (error) => end(started, error))
    started.once('exit', () => end(started, new Error('the thread that hashes has ended')))
    return started
  }

  function settled(id: number): PromiseWithResolvers<string> | undefined {
    const asked = waiting.get(id)
    waiting.delete(id)
    // Nobody waits for it, and so it keeps no process alive.
    if (waiting.size === 0) thread?.unref()
    return asked
  }

  function end(ended: Worker, reason: unknown): void {
    if (thread !== ended) return
    thread = undefined
    for (const { reject } of waiting.values()) reject(reason)
    waiting.clear()
  }

  function endIdle(): void {
    if (waiting.size > 0) return void idle?.refresh()
    const ended = thread
    thread = undefined
    void ended?.terminate()
  }

  function tell(message: object): void {
    thread ??= start()
    thread.postMessage(message)
    idle ??= setTimeout(endIdle, IDLE_MS).unref()
    idle.refresh()
  }

  return {
    follow(file, algorithm) {
      hashes += 1
      const id = hashes
      return {
        reach: (bytes) => tell({ id, file, algorithm, end: bytes, isWanted: false }),
        digest(bytes) {
          const asked = Promise.withResolvers<string>()
          waiting.set(id, asked)
          tell({ id, file, algorithm, end: bytes, isWanted: true })
          thread?.ref()
          return asked.promise
        },
        drop() {
          settled(id)?.reject(new Error('a file was given up while it was hashed'))
          thread?.postMessage({ id, isDropped: true })
        },
      }
    },
  }
}

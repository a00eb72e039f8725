import { type ChildProcess, fork } from 'node:child_process'
import type net from 'node:net'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { REGISTRY_ERRORS } from './errors.ts'
import { createRpc, type Rpc } from './rpc.ts'
import type { HandedConnection, WorkerFunctions, WorkerMessage } from './worker-contract.ts'

/** One worker, seen from the server. */
export interface WorkerProcess {
  readonly pid: number
  readonly rpc: Rpc
  readonly functions: WorkerFunctions
  /** Settles when its code is loaded; never, where it ends before. */
  readonly loaded: Promise<void>
  /** Settles when it has ended, in whatever way; what it was says how. */
  readonly ended: Promise<string>
  /** Gives it a connection; `taken` is called when it has it. Until then the socket stays the caller's. */
  hand(socket: net.Socket, connection: HandedConnection, taken: () => void): void
  kill(): void
  /** Lets it end, and ends it when it does not. */
  end(): Promise<void>
}

// Beside this file, in the form in which this file itself runs: as written, or compiled.
const PROGRAM = fileURLToPath(new URL(`./process${extname(import.meta.filename)}`, import.meta.url))

const END_MS_MAX = 2000

/**
 * Starts a process that waits to be told what it is to serve. It ends with this one.
 *
 * @param environment of the process
 */
export function startWorkerProcess(
  environment: Readonly<Record<string, string | undefined>>,
): WorkerProcess {
  // Buffers cross as they are, and nothing is written as text in between.
  const child = fork(PROGRAM, [], {
    serialization: 'advanced',
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const rpc = createRpc(
    {
      // A process that is gone is told of by its end.
      send: (message) => void child.send(message, () => {}),
      onMessage: (listener) => void child.on('message', (message) => listener(message as object)),
      onClose: (listener) => void child.once('exit', listener),
    },
    REGISTRY_ERRORS,
  )
  const loaded = Promise.withResolvers<void>()
  const taken = new Map<number, () => void>()
  let handed = 0
  child.on('message', (message: WorkerMessage) => {
    if (message.kind === 'loaded') loaded.resolve()
    if (message.kind !== 'taken') return
    taken.get(message.id)?.()
    taken.delete(message.id)
  })
  const ended = endOf(child)
  return {
    pid: child.pid ?? 0,
    rpc,
    functions: rpc.remote<WorkerFunctions>('worker'),
    loaded: loaded.promise,
    ended,
    hand(socket, connection, onTaken) {
      handed += 1
      taken.set(handed, onTaken)
      const message: WorkerMessage = { kind: 'connection', id: handed, ...connection }
      child.send(message, socket, { keepOpen: true }, () => {})
    },
    kill: () => void child.kill('SIGKILL'),
    async end() {
      if (child.connected) child.disconnect()
      const guard = setTimeout(() => child.kill('SIGKILL'), END_MS_MAX)
      await ended
      clearTimeout(guard)
    },
  }
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
    // One that could not be started has no end.
    child.once('error', (error) => {
      if (child.pid === undefined) resolve(error.message)
    })
  })
}

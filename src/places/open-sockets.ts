import { spawn } from 'node:child_process'
import type dgram from 'node:dgram'
import type net from 'node:net'
import { fileURLToPath } from 'node:url'
import type { SocketPlan } from './place-plan.ts'
import { COMMAND_ENVIRONMENT } from './run-command.ts'

export interface OpenerRequest {
  readonly transport: 'tcp' | 'udp'
  readonly address: string
  readonly port: number
}

export type OpenerReply =
  | { readonly opened: true }
  | { readonly opened: false; readonly cause: string }

type Handle = net.Server | dgram.Socket

const OPENER = fileURLToPath(new URL('./opener.js', import.meta.url))

const OPENER_TIMEOUT_MS = 15_000

/** Not every socket could be opened; those that were have been handed over. */
export class SocketsNotOpened extends Error {
  override readonly name = 'SocketsNotOpened'
}

/**
 * Opens sockets in a namespace by a short-lived helper that runs there and passes them to this process. `hand` is
 * called in the tick in which a socket arrives; it is listening already.
 *
 * @param inside what to put before a command so that it runs there; it must not fork, or handles do not pass
 * @throws SocketsNotOpened
 */
export async function openSockets(
  inside: readonly string[],
  wanted: readonly SocketPlan[],
  hand: (plan: SocketPlan, handle: Handle) => void,
): Promise<void> {
  const failures: string[] = []
  const missing = await new Promise<readonly SocketPlan[]>((resolve) => {
    const [file = process.execPath, ...args] = [...inside, process.execPath, OPENER]
    const child = spawn(file, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: { ...COMMAND_ENVIRONMENT },
    })
    const guard = setTimeout(() => child.kill('SIGKILL'), OPENER_TIMEOUT_MS)
    let complaint = ''
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      complaint += chunk
    })

    let next = 0
    const askForNext = () => {
      const plan = wanted[next]
      if (!plan) return child.disconnect()
      const { address, port } = plan
      const request: OpenerRequest = {
        transport: plan.kind === 'dns-udp' ? 'udp' : 'tcp',
        address,
        port,
      }
      // A helper that is gone is told of by its end.
      child.send(request, () => {})
    }

    let ended = false
    child.on('message', (reply: OpenerReply, handle) => {
      const plan = wanted[next]
      if (!plan || ended) return void (handle as Handle | undefined)?.close()
      next += 1
      if (reply.opened) {
        try {
          hand(plan, handle as Handle)
        } catch (error) {
          ;(handle as Handle).close()
          failures.push(`${describe(plan)}: ${error instanceof Error ? error.message : error}`)
        }
      } else {
        failures.push(`${describe(plan)}: ${reply.cause}`)
      }
      askForNext()
    })
    child.once('error', (error) => {
      failures.push(error.message)
      // A helper that never started has no end to wait for.
      if (child.pid === undefined) finish()
    })
    child.once('exit', (code, signal) => {
      if (next < wanted.length) {
        failures.push(`the helper ended (${signal ?? code}) ${complaint.trim()}`.trim())
      }
      finish()
    })
    const finish = () => {
      ended = true
      clearTimeout(guard)
      resolve(wanted.slice(next))
    }
    askForNext()
  })
  if (failures.length > 0 || missing.length > 0) throw new SocketsNotOpened(failures.join('; '))
}

const describe = (plan: SocketPlan): string => `${plan.kind} on ${plan.address}:${plan.port}`

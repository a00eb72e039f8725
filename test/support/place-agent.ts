import { type ChildProcess, spawn } from 'node:child_process'
import type { IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Causeway, PlaceOptions, Where } from './causeway.ts'

export type Order =
  | {
      readonly kind: 'request'
      readonly url: string
      readonly method?: string
      readonly headers?: Readonly<Record<string, string>>
      /** base64 */
      readonly body?: string
    }
  | { readonly kind: 'connect'; readonly address: string; readonly port: number }
  | { readonly kind: 'resolve'; readonly name: string }
  | { readonly kind: 'variables' }

export type Outcome =
  | { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string }
  | { readonly connected: true }
  | { readonly addresses: readonly string[] }
  | { readonly variables: NodeJS.ProcessEnv }
  /** The error's code, as `ECONNREFUSED`. */
  | { readonly failed: string }

export interface PlaceAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly content: Buffer
}

/** A connection, a name or the agent itself failed; no answer came. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

/** A program that stands in a place for a while, so that many things can be tried there without starting as many programs. */
export interface PlaceAgent {
  readonly process: ChildProcess
  /** One request on a connection of its own, trusting what the place trusts. @throws NoAnswer */
  request(
    url: string,
    options?: {
      readonly method?: string
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: Uint8Array | string
    },
  ): Promise<PlaceAnswer>
  /** `open`, or the code of the refusal. */
  connect(address: string, port: number): Promise<string>
  /** @throws NoAnswer */
  resolve(name: string): Promise<readonly string[]>
  variables(): Promise<NodeJS.ProcessEnv>
  hasEnded(): boolean
  /** Ends the program and waits for `causeway exec` to end with it. */
  end(): Promise<void>
}

const PROGRAM = join(import.meta.dirname, 'place-agent-program.ts')

export async function startAgent(
  causeway: Causeway,
  where: Where,
  options: PlaceOptions = {},
): Promise<PlaceAgent> {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', PROGRAM]
  const [file, ...args] = causeway.placeArguments(where, node, options)
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const waiting = new Map<number, (outcome: Outcome) => void>()
  let next = 0
  let complaint = ''
  let ended = false
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  child.stdin.on('error', () => {})
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, outcome } = JSON.parse(line) as { id: number; outcome: Outcome }
    waiting.get(id)?.(outcome)
    waiting.delete(id)
  })
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => {
      ended = true
      for (const settle of waiting.values()) settle({ failed: `the agent ended: ${complaint}` })
      waiting.clear()
      resolve()
    })
  })

  const order = (wanted: Order): Promise<Outcome> =>
    new Promise((resolve) => {
      if (ended) return resolve({ failed: `the agent has ended: ${complaint}` })
      const id = next++
      waiting.set(id, resolve)
      child.stdin.write(`${JSON.stringify({ id, order: wanted })}\n`)
    })

  const agent: PlaceAgent = {
    process: child,
    async request(url, { method, headers, body } = {}) {
      const outcome = await order({
        kind: 'request',
        url,
        ...(method && { method }),
        ...(headers && { headers }),
        ...(body !== undefined && { body: Buffer.from(body).toString('base64') }),
      })
      if (!('status' in outcome)) throw new NoAnswer(`${url}: ${JSON.stringify(outcome)}`)
      const { status } = outcome
      return { status, headers: outcome.headers, content: Buffer.from(outcome.body, 'base64') }
    },
    async connect(address, port) {
      const outcome = await order({ kind: 'connect', address, port })
      return 'failed' in outcome ? outcome.failed : 'open'
    },
    async resolve(name) {
      const outcome = await order({ kind: 'resolve', name })
      if ('addresses' in outcome) return outcome.addresses
      throw new NoAnswer(`${name}: ${JSON.stringify(outcome)}`)
    },
    async variables() {
      const outcome = await order({ kind: 'variables' })
      if ('variables' in outcome) return outcome.variables
      throw new NoAnswer(`no variables: ${JSON.stringify(outcome)}`)
    },
    hasEnded: () => ended,
    async end() {
      child.stdin.end()
      await closed
    },
  }
  // It is there when it has answered once.
  await agent.variables()
  return agent
}

import { spawn } from 'node:child_process'
import { execPath } from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { descendantsOf } from '../process-figures.ts'
import type { Access, Job, Outcome, Said } from './job.ts'

/** A client program, wherever it runs. */
export interface Client {
  /** Gets everything ready, calls `around` with the measured work itself, and hands on what that returns. */
  run<T>(job: Job, around: (work: () => Promise<Outcome>) => Promise<T>): Promise<T>
  /** It, its children, and whatever had to be started to get it where it is. */
  processes(): Promise<readonly number[]>
  end(): Promise<void>
}

const PROGRAM = fileURLToPath(new URL('client/program.ts', import.meta.url))

/** `enter` makes of a command the one that runs it where the client is to be. */
export function startClient(
  access: Access,
  enter: (command: readonly string[]) => readonly string[] = (command) => command,
): Client {
  const flags = ['--disable-warning=ExperimentalWarning']
  const [file = '', ...args] = enter([execPath, ...flags, PROGRAM, JSON.stringify(access)])
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const tell = (line: string) => child.stdin.write(`${line}\n`)

  async function hear(): Promise<Exclude<Said, { say: 'failed' }>> {
    const line = await lines.next()
    if (line.done) throw new Error('the client has ended')
    const said = JSON.parse(line.value) as Said
    if (said.say === 'failed') throw new Error(said.reason)
    return said
  }

  return {
    async run(job, around) {
      tell(JSON.stringify(job))
      await hear()
      return around(async () => {
        tell('go')
        const said = await hear()
        if (said.say !== 'done') throw new Error('the client is out of step')
        return said.outcome
      })
    },
    processes: () => descendantsOf(child.pid ?? 0),
    async end() {
      child.stdin.end()
      await ended
    },
  }
}

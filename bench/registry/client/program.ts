/**
 * The client of one registry, a process of its own: on the host or in a place. Its argument is the `Access`; it takes a
 * `Job` for each line of its input, gets ready, waits for the line `go`, and says how it went. It ends with its input.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv, stdin, stdout } from 'node:process'
import { createInterface } from 'node:readline'
import type { Access, Job, Said } from '../job.ts'
import { createJobs } from './jobs.ts'
import { openSession } from './session.ts'

const folder = await mkdtemp(join(tmpdir(), 'cw-client-'))
const prepare = createJobs(openSession(JSON.parse(argv[2] ?? '') as Access), folder)
const say = (said: Said) => stdout.write(`${JSON.stringify(said)}\n`)
const lines = createInterface({ input: stdin })[Symbol.asyncIterator]()

for (let line = await lines.next(); !line.done; line = await lines.next()) {
  try {
    const run = await prepare(JSON.parse(line.value) as Job)
    say({ say: 'ready' })
    await lines.next()
    say({ say: 'done', outcome: await run() })
  } catch (error) {
    say({ say: 'failed', reason: error instanceof Error ? error.message : String(error) })
  }
}
await rm(folder, { recursive: true })
// Connections that are kept alive would keep it alive.
process.exit(0)

import { setTimeout as delay } from 'node:timers/promises'
import {
  coreSeconds,
  coreSecondsWithChildren,
  forgetPeaks,
  machineSeconds,
  peakBytes,
} from '../process-figures.ts'
import type { Job, Outcome } from './job.ts'
import type { Target } from './target.ts'

export interface Measured extends Outcome {
  /** What the server spent on cores, in seconds. */
  readonly serverSeconds: number
  /** The share of the machine that neither server nor client used. */
  readonly noise: number
  readonly peakBytes: number
}

/** Has the target's client do the job once, on a machine as quiet as it gets. */
export async function measure(target: Target, job: Job, quiet: Quiet): Promise<Measured> {
  const { client } = target
  const measured = await client.run(job, async (work) => {
    await quiet()
    const server = await target.processes()
    await forgetPeaks(server)
    const spent = async () => ({
      server: await coreSeconds(server),
      client: await coreSecondsWithChildren(await client.processes()),
      machine: await machineSeconds(),
    })
    const before = await spent()
    const outcome = await work()
    const after = await spent()
    const serverSeconds = after.server - before.server
    const known = serverSeconds + after.client - before.client
    const busy = after.machine.busy - before.machine.busy
    const all = after.machine.all - before.machine.all
    return {
      ...outcome,
      serverSeconds,
      noise: Math.max(0, (busy - known) / all),
      peakBytes: await peakBytes(server),
    }
  })
  for (const digest of measured.spent ?? []) await target.drop(digest)
  return measured
}

export type Quiet = () => Promise<void>

const LOOK_MS = 250
const WAIT_MS_MAX = 5_000
const BUSY_SHARE_MAX = 0.15

/** Waits until others leave the machine alone, each time for a while, and in all for no longer than this. */
export function createQuiet(budgetSeconds: number): Quiet {
  let budget = budgetSeconds * 1000
  return async () => {
    for (let waited = 0; waited < WAIT_MS_MAX && budget > 0; waited += LOOK_MS) {
      const before = await machineSeconds()
      await delay(LOOK_MS)
      const after = await machineSeconds()
      if ((after.busy - before.busy) / (after.all - before.all || 1) < BUSY_SHARE_MAX) return
      budget -= LOOK_MS
    }
  }
}

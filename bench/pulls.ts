/**
 * Memory while a large blob is pulled by many at once: what all processes of the server hold at most, each page shared out
 * among those who map it. Every pull runs to its end.
 */
import { stdout } from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { coreSeconds, proportionalBytes } from './process-figures.ts'
import { startPrivateCauseway } from './registry/causeway.ts'
import type { Target } from './registry/target.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    pulls: { type: 'string', default: '100' },
    'size-mib': { type: 'string', default: '1024' },
    workers: { type: 'string' },
  },
})

const MEBIBYTE = 2 ** 20
const LOOK_MS = 500

const { workers } = values
const started = await startPrivateCauseway(workers === undefined ? undefined : Number(workers))
try {
  const target = started.targets.find(({ name }) => name === 'causeway')
  if (!target) throw new Error('there is no listener on the host')
  const figures = await measure(target, Number(values.pulls), Number(values['size-mib']) * MEBIBYTE)
  if (values.json) stdout.write(`${JSON.stringify(figures, null, 2)}\n`)
  else for (const [name, text] of Object.entries(figures)) stdout.write(`${name}: ${text}\n`)
} finally {
  await started.end()
}

async function measure(target: Target, pulls: number, bytes: number) {
  const { client } = target
  await client.run({ kind: 'fixture', bytes }, (work) => work())
  return client.run({ kind: 'downloads', parallel: pulls, times: 1 }, async (work) => {
    const pids = await target.processes()
    const before = { bytes: await proportionalBytes(pids), core: await coreSeconds(pids) }
    let peak = before.bytes
    const done = new AbortController()
    const watching = (async () => {
      while (!done.signal.aborted) {
        peak = Math.max(peak, await proportionalBytes(pids))
        await delay(LOOK_MS, undefined, { signal: done.signal }).catch(() => {})
      }
    })()
    const { units, seconds } = await work()
    done.abort()
    await watching
    const mebibytes = (count: number) => `${(count / MEBIBYTE).toFixed(0)} MiB`
    return {
      pulls: `${pulls} of ${mebibytes(bytes)}, all complete`,
      processes: String(pids.length),
      before: mebibytes(before.bytes),
      peak: mebibytes(peak),
      rate: `${(units / seconds).toFixed(0)} MB/s`,
      processor: `${((await coreSeconds(pids)) - before.core).toFixed(1)} s of cores in ${seconds.toFixed(1)} s`,
    }
  })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Metric, NO_METRICS, type Samples } from '../lib/metrics.ts'
import { keepGauges, withGaugesOf } from './shared-gauges.ts'

test('a gauge tells of all processes together, also of what one of them alone knows', async () => {
  const readIn = async (here: Samples, ...others: readonly (Samples | undefined)[]) => {
    const metric = { name: 'requests', help: 'Requests.', label: 'operation' }
    const processes = others.map((samples) => {
      const kept = keepGauges()
      if (samples !== undefined) kept.gauge({ ...metric, read: () => samples })
      return kept
    })
    const added: Metric[] = []
    const metrics = { ...NO_METRICS, gauge: (each: Metric) => void added.push(each) }
    const ask = (name: string) => Promise.all(processes.map((each) => each.read(name)))
    withGaugesOf(ask, metrics).gauge({ ...metric, read: () => here })
    return added[0]?.read()
  }
  const [pulls, pushes] = [{ get_blob: 2 }, { get_blob: 1, put_upload: 4 }]
  assert.deepEqual(await readIn({}, pulls, pushes, undefined), { get_blob: 3, put_upload: 4 })
  assert.deepEqual(await readIn(pulls), pulls)
  assert.equal(await readIn(3, undefined, 4), 7)
  assert.equal(await readIn(0), 0)
})

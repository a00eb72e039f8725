import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestOutcome } from './metrics.ts'
import { BOUNDS, createRequestTotals } from './request-totals.ts'

const pull = (change: Partial<RequestOutcome> = {}): RequestOutcome => ({
  plane: 'registry',
  operation: 'get_manifest',
  status: 200,
  seconds: 0.002,
  bytesReceived: 100,
  bytesSent: 1000,
  ...change,
})

test('requests of one kind are one total, and of another kind another', () => {
  const totals = createRequestTotals()
  for (const each of [
    ...[pull(), pull({ seconds: 1000 }), pull({ status: 404 }), pull({ status: undefined })],
    ...[pull({ operation: 'get_blob' }), pull({ plane: 'control' })],
  ]) {
    totals.add(each)
  }
  const [ok, ...others] = totals.all()
  assert.deepEqual(
    [ok?.code, ok?.seconds, ok?.bytesReceived, ok?.bytesSent],
    ['2xx', 1000.002, 200, 2000],
  )
  assert.deepEqual([ok?.counts[1], ok?.counts[BOUNDS.length]], [1, 1])
  assert.deepEqual(
    others.map(({ plane, operation, code }) => [plane, operation, code].join(' ')).sort(),
    [
      'control get_manifest 2xx',
      'registry get_blob 2xx',
      'registry get_manifest 4xx',
      'registry get_manifest aborted',
    ],
  )
})

test('what is taken is not there any more, and is added up again elsewhere', () => {
  const [here, there] = [createRequestTotals(), createRequestTotals()]
  for (let round = 0; round < 3; round++) {
    here.add(pull())
    for (const total of here.take()) there.merge(structuredClone(total))
  }
  assert.deepEqual(here.all(), [])
  assert.deepEqual(
    there.all().map(({ counts, bytesSent }) => [counts[1], bytesSent]),
    [[3, 3000]],
  )
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inBatches } from './in-batches.ts'

test('what comes together is done together, in order', async () => {
  const batches: (readonly number[])[] = []
  const add = inBatches<number>(async (items) => {
    batches.push(items)
  })
  await Promise.all([add(1), add(2), add(3)])
  await add(4)
  assert.deepEqual(batches, [[1, 2, 3], [4]])
})

test('a failure reaches everybody in the batch and nobody after it', async () => {
  const add = inBatches<string>(async (items) => {
    if (items.includes('bad')) throw new Error('no')
  })
  const outcomes = await Promise.allSettled([add('bad'), add('good')])
  assert.deepEqual(
    outcomes.map((outcome) => outcome.status),
    ['rejected', 'rejected'],
  )
  await add('good')
})

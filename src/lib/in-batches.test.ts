import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inBatches } from './in-batches.ts'

test('what comes together is done together, in order', async () => {
  const batches: (readonly number[])[] = []
  const double = inBatches<number, number>(async (items) => {
    batches.push(items)
    return items.map((item) => item * 2)
  })
  assert.deepEqual(await Promise.all([double(1), double(2), double(3)]), [2, 4, 6])
  assert.equal(await double(4), 8)
  assert.deepEqual(batches, [[1, 2, 3], [4]])
})

test('a failure reaches everybody in the batch and nobody after it', async () => {
  const add = inBatches<string, string>(async (items) => {
    if (items.includes('bad')) throw new Error('no')
    return items
  })
  const outcomes = await Promise.allSettled([add('bad'), add('good')])
  assert.deepEqual(
    outcomes.map((outcome) => outcome.status),
    ['rejected', 'rejected'],
  )
  await add('good')
})

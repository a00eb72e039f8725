import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSlots } from './slots.ts'

test('no more run at a time than there are slots, and a failure gives its slot back', async () => {
  const inSlot = createSlots(2)
  const order: string[] = []
  let running = 0
  const work = (name: string) =>
    inSlot(async () => {
      running += 1
      assert.ok(running <= 2)
      order.push(name)
      await Promise.resolve()
      running -= 1
      if (name === 'b') throw new Error('no')
    })
  const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map(work))
  assert.deepEqual(order, ['a', 'b', 'c', 'd', 'e'])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  )
})

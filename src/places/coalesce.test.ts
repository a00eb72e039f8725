import assert from 'node:assert/strict'
import { test } from 'node:test'
import { coalesce } from './coalesce.ts'

test('calls made during a run share one further run, which begins after it', async () => {
  const releases: (() => void)[] = []
  const work = coalesce(() => new Promise((resolve) => releases.push(resolve)))
  const first = work.run()
  await Promise.resolve()
  const [second, third] = [work.run(), work.run()]
  assert.equal(releases.length, 1)
  releases[0]?.()
  await first
  await Promise.resolve()
  assert.equal(releases.length, 2)
  releases[1]?.()
  await Promise.all([second, third, work.idle()])
  assert.equal(releases.length, 2)
})

test('a failing run is told to those who asked for it, and the next one runs', async () => {
  let runs = 0
  const work = coalesce(async () => {
    runs += 1
    if (runs === 1) throw new Error('once')
  })
  await assert.rejects(work.run(), /once/)
  await work.run()
  await work.idle()
  assert.equal(runs, 2)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import type { Change } from './change-feed.ts'
import { createChangeFeed } from './create-change-feed.ts'

const CHANGE: Change = { revision: 1, id: '/a', type: 'T', kind: 'written' }

test('listeners hear of changes in turn, and publishing ends with the last of them', async () => {
  const feed = createChangeFeed({ log: pino({ level: 'silent' }) })
  const heard: string[] = []
  feed.subscribe(async () => {
    await Promise.resolve()
    heard.push('first')
  })
  const leave = feed.subscribe(() => void heard.push('second'))
  await feed.publish([CHANGE])
  assert.deepEqual(heard, ['first', 'second'])
  leave()
  await feed.publish([CHANGE])
  assert.deepEqual(heard, ['first', 'second', 'first'])
  await feed.publish([])
  assert.equal(heard.length, 3)
})

test('a listener that fails is reported, and the others hear all the same', async () => {
  const lines: string[] = []
  const feed = createChangeFeed({ log: pino({}, { write: (line) => void lines.push(line) }) })
  let heard = 0
  feed.subscribe(() => Promise.reject(new Error('lost')))
  feed.subscribe(() => {
    heard += 1
  })
  await feed.publish([CHANGE])
  assert.equal(heard, 1)
  assert.match(lines.join(''), /lost/)
})

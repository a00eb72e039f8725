import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAnswerCache } from './answer-cache.ts'

const RESPONSE = Buffer.from('0007858000010000', 'hex')
const QUERY = Buffer.from('0008010000010000', 'hex')

function cacheOf() {
  const zones = { version: 1 }
  const names = { version: 1 }
  const cache = createAnswerCache({ zones, names })
  cache.set('net-1', 'question', RESPONSE)
  return { zones, names, cache }
}

test('an answer is for the place that asked, and for no other with the same question', () => {
  const { cache } = cacheOf()
  assert.ok(cache.get('net-1', 'question', QUERY))
  assert.equal(cache.get('net-2', 'question', QUERY), undefined)
})

test('a change of the private zones forgets every answer', () => {
  const { zones, cache } = cacheOf()
  zones.version = 2
  assert.equal(cache.get('net-1', 'question', QUERY), undefined)
})

test('a change of the public names forgets every answer', () => {
  const { names, cache } = cacheOf()
  names.version = 2
  assert.equal(cache.get('net-1', 'question', QUERY), undefined)
})

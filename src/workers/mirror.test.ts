import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMirror, createMirrorSource } from './mirror.ts'

test('who begins gets everything, who follows what has changed', () => {
  const [one, two] = [{ name: 'one' }, { name: 'two' }]
  const things = new Map<string, object>([['1', one]])
  const source = createMirrorSource({ things: () => things, others: () => [] })
  source.changes()
  const [early, late] = [createMirror(), createMirror()]
  let seen = 0
  early.watch('things', () => {
    seen += 1
  })
  early.apply(source.all())
  assert.deepEqual(source.changes(), [])

  things.set('2', two)
  early.apply(source.changes())
  things.set('1', { ...one, more: true })
  things.delete('2')
  const changes = source.changes()
  assert.deepEqual(changes, [
    { table: 'things', set: [['1', { name: 'one', more: true }]], removed: ['2'] },
  ])
  early.apply(changes)
  late.apply(source.all())
  for (const mirror of [early, late]) {
    assert.deepEqual([...mirror.table('things')], [['1', { name: 'one', more: true }]])
  }
  assert.equal(seen, 3)
})

test('to be told twice does no harm: one who begins may get with it what then changes', () => {
  const things = new Map([['1', {}]])
  const source = createMirrorSource({ things: () => things })
  const mirror = createMirror()
  mirror.apply(source.all())
  mirror.apply(source.changes())
  assert.deepEqual([...mirror.table('things').keys()], ['1'])
})

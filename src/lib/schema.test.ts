import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type as TypeBox } from 'typebox'
import { faultsOf, isOfSchema } from './check-schema.ts'
import { Type } from './schema.ts'

/** A schema with every word. */
const written = (t: typeof Type) =>
  t.Object(
    {
      name: t.String({ minLength: 1 }),
      note: t.Optional(t.Union([t.String(), t.Null()])),
      count: t.Optional(t.Integer({ minimum: 0 })),
      share: t.Optional(t.Number()),
      isOn: t.Boolean({ default: true }),
      size: t.Enum(['small', 'large'], { default: 'small' }),
      mode: t.Union([t.Literal('one'), t.Literal(2), t.Literal(false)], { 'x-mark': true }),
      tags: t.Optional(t.Record(t.String(), t.String(), { default: {} })),
      rest: t.Array(t.Unknown(), { default: [], maxItems: 1 }),
      inner: t.Optional(t.Object({ all: t.Optional(t.String()) })),
    },
    { additionalProperties: false },
  )

test('schemas are those that TypeBox makes', () => {
  assert.deepEqual(JSON.stringify(written(Type)), JSON.stringify(written(TypeBox)))
})

test('a copy of an optional schema is required again, as in TypeBox', () => {
  const copied = (t: typeof Type) => t.Object({ note: { ...t.Optional(t.String()) } })
  assert.deepEqual(copied(Type).required, ['note'])
  assert.deepEqual(copied(TypeBox).required, ['note'])
})

test('a value is checked against them', () => {
  const right = { name: 'a', isOn: false, size: 'large', mode: 2, rest: [] }
  assert.equal(isOfSchema(written(Type), right), true)
  assert.deepEqual(faultsOf(written(Type), right), [])
  const wrong = { ...right, mode: 3, count: -1 }
  assert.equal(isOfSchema(written(Type), wrong), false)
  const paths = faultsOf(written(Type), wrong).map(({ instancePath }) => instancePath)
  assert.deepEqual(new Set(paths), new Set(['/mode', '/count']))
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from '../lib/schema.ts'
import { createOnly, readOnly, secret } from './marks.ts'
import { findForbiddenChange, shapeInput, withoutSecrets } from './shape.ts'

const schema = Type.Object({
  mode: Type.Union([Type.Literal('Allow'), Type.Literal('Deny')], { default: 'Allow' }),
  rules: Type.Array(
    Type.Object({
      value: Type.String(),
      action: Type.Enum(['Allow'], { default: 'Allow' }),
      state: Type.Optional(readOnly(Type.String())),
    }),
    { default: [] },
  ),
  policy: Type.Object(
    {
      days: Type.Integer({ default: 7 }),
      updated: readOnly(Type.String()),
    },
    { default: {} },
  ),
  target: Type.Optional(
    Type.Union([
      Type.Object({ id: Type.String() }),
      Type.Object({ address: Type.String(), port: Type.Integer({ default: 443 }) }),
    ]),
  ),
  labels: Type.Optional(Type.Record(Type.String(), Type.String())),
  home: Type.Optional(createOnly(Type.Object({ id: Type.String() }))),
  key: Type.Optional(secret(Type.String())),
})

const shape = (input: unknown, previous?: Record<string, unknown>) =>
  shapeInput(schema, input, previous, 'properties')

test('defaults apply at every depth', () => {
  assert.deepEqual(shape({}), { mode: 'Allow', rules: [], policy: { days: 7 } })
  assert.deepEqual(shape({ rules: [{ value: 'a' }] }).rules, [{ value: 'a', action: 'Allow' }])
})

test('null is absence', () => {
  assert.deepEqual(shape({ mode: null, rules: null, policy: { days: null }, key: null }), shape({}))
})

test('choices come in their own case, and members too', () => {
  const shaped = shape({ MODE: 'deny', Rules: [{ VALUE: 'x', action: 'ALLOW' }] })
  assert.equal(shaped.mode, 'Deny')
  assert.deepEqual(shaped.rules, [{ value: 'x', action: 'Allow' }])
})

test('of alternatives the first that fits is taken', () => {
  assert.deepEqual(shape({ target: { address: 'a', odd: 1 } }).target, { address: 'a', port: 443 })
  assert.deepEqual(shape({ target: { id: 'x', odd: 1 } }).target, { id: 'x' })
  assert.throws(() => shape({ target: { odd: 1 } }), { status: 400 })
})

test('free-form members keep their names', () => {
  assert.deepEqual(shape({ labels: { Any: 'x' } }).labels, { Any: 'x' })
  assert.throws(() => shape({ labels: { Any: 1 } }), {
    message: /must be string\. Path 'properties\.labels\.Any'/,
  })
})

test('what clients cannot or need not repeat is carried over', () => {
  const previous = {
    mode: 'Deny',
    policy: { days: 3, updated: 'monday' },
    home: { id: '/a' },
    key: 'sealed',
  }
  const shaped = shape(
    { policy: { updated: 'mine' }, rules: [{ value: 'v', state: 'mine' }] },
    previous,
  )
  assert.deepEqual(shaped, {
    mode: 'Allow',
    rules: [{ value: 'v', action: 'Allow' }],
    policy: { days: 7, updated: 'monday' },
    home: { id: '/a' },
    key: 'sealed',
  })
})

test('create-only members may be said again in another case, and not changed', () => {
  const change = (next: object, previous: object) =>
    findForbiddenChange(schema, { ...next }, { ...previous })
  assert.equal(change({ home: { id: '/A' } }, { home: { id: '/a' } }), undefined)
  assert.equal(change({ home: { id: '/b' } }, { home: { id: '/a' } }), 'home')
  assert.equal(change({ home: { id: '/a' } }, {}), 'home')
})

test('secrets are never shown', () => {
  assert.deepEqual(withoutSecrets(schema, { mode: 'Allow', key: 'sealed' }), { mode: 'Allow' })
})

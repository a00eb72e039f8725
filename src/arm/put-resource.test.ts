import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createArmForTests, type TestArm } from '../../test/support/arm.ts'
import { widgetsProvider } from '../../test/support/widgets.ts'

let arm: TestArm
let group: string
let widgets: string
before(async () => {
  arm = await createArmForTests({ providers: [widgetsProvider] })
  group = await arm.group('Main')
  widgets = `${group}/providers/Example.Test/widgets`
})
after(() => arm.close())

const BODY = { location: 'West Europe', properties: {} }

describe('a body', () => {
  test('gets defaults, and loses what is unknown or not the client’s to say', async () => {
    const { status, body } = await arm.put(`${widgets}/body`, {
      location: 'West Europe',
      tags: { a: '1' },
      sku: { NAME: 'premium', odd: 1 },
      odd: true,
      etag: 'mine',
      properties: { serial: 'mine', odd: 1, options: { mode: 'on' }, password: 'pass' },
    })
    assert.equal(status, 201)
    assert.equal(body.location, 'westeurope')
    assert.deepEqual(body.sku, { name: 'Premium', tier: 'Shown' })
    assert.match(body.etag, /^W\/"[0-9a-f-]{36}"$/)
    assert.match(body.properties.serial, /^[0-9a-f-]{36}$/)
    assert.equal(body.systemData.createdByType, 'Application')
    const { serial: _, ...rest } = body.properties
    assert.deepEqual(rest, { size: 1, options: { mode: 'On' }, ties: [] })
    assert.equal('odd' in body, false)
  })

  test('a replay changes nothing; another body makes a new etag and keeps what was given', async () => {
    const first = await arm.put(`${widgets}/replay`, { ...BODY, properties: { password: 'p' } })
    const again = await arm.put(`${widgets}/REPLAY`, { ...BODY, properties: { password: 'p' } })
    assert.deepEqual([again.status, again.body], [200, first.body])
    const other = await arm.put(`${widgets}/replay`, { ...BODY, properties: { size: 2 } })
    assert.notEqual(other.body.etag, first.body.etag)
    assert.equal(other.body.properties.serial, first.body.properties.serial)
    assert.deepEqual((await arm.post(`${widgets}/replay/reveal`)).body, { password: 'p' })
  })

  test('PATCH merges, null removes, tags are replaced', async () => {
    await arm.put(`${widgets}/patch`, {
      ...BODY,
      tags: { a: '1' },
      properties: { size: 3, options: { mode: 'On' } },
    })
    const patched = await arm.patch(`${widgets}/patch`, {
      tags: { b: '2' },
      sku: { name: 'Premium' },
      properties: { size: null, options: {} },
    })
    assert.equal(patched.status, 200)
    assert.deepEqual(patched.body.tags, { b: '2' })
    assert.equal(patched.body.sku.name, 'Premium')
    assert.equal(patched.body.properties.size, 1)
    assert.equal(patched.body.properties.options.mode, 'On')
    assert.equal((await arm.patch(`${widgets}/none`, {})).status, 404)
  })

  for (const [what, body, status, code] of [
    ['no JSON', '{"location": ', 400, 'InvalidRequestContent'],
    ['a list', '[]', 400, 'InvalidRequestContent'],
    ['nothing', '', 400, 'InvalidRequestContent'],
    [
      'endless nesting',
      `${'{"a":'.repeat(9999)}1${'}'.repeat(9999)}`,
      400,
      'InvalidRequestContent',
    ],
    ['a wrong type', { ...BODY, properties: { size: 'big' } }, 400, 'InvalidRequestContent'],
    ['properties that are a text', { ...BODY, properties: 'x' }, 400, 'InvalidRequestContent'],
    ['tags that are numbers', { ...BODY, tags: { a: 1 } }, 400, 'InvalidRequestContent'],
    ['no location', { properties: {} }, 400, 'LocationRequired'],
    ['no region', { ...BODY, location: 'atlantis' }, 400, 'LocationNotAvailableForResourceType'],
  ] as const) {
    test(`${status}: ${what}`, async () => {
      const answer = await arm.put(`${widgets}/refused`, body)
      assert.deepEqual([answer.status, answer.body.error.code], [status, code])
      assert.equal((await arm.get(`${widgets}/refused`)).status, 404)
    })
  }

  test('409: a create-only member changes, or the location', async () => {
    await arm.put(`${widgets}/fixed`, { ...BODY, properties: { material: 'Oak' } })
    const other = await arm.put(`${widgets}/fixed`, { ...BODY, properties: { material: 'ash' } })
    assert.deepEqual(
      [other.status, other.body.error],
      [
        409,
        {
          code: 'PropertyChangeNotAllowed',
          message: "Changing property 'material' is not allowed.",
          target: 'properties.material',
        },
      ],
    )
    const same = await arm.put(`${widgets}/fixed`, { ...BODY, properties: { material: 'OAK' } })
    assert.equal(same.status, 200)
    assert.equal((await arm.put(`${widgets}/fixed`, BODY)).body.properties.material, 'OAK')
    const moved = await arm.put(`${widgets}/fixed`, { ...BODY, location: 'eastus' })
    assert.deepEqual([moved.status, moved.body.error.code], [409, 'InvalidResourceLocation'])
  })

  test('400: a name that the type does not take', async () => {
    const answer = await arm.put(`${widgets}/sp ace`, BODY)
    assert.deepEqual([answer.status, answer.body.error.code], [400, 'InvalidResourceName'])
  })
})

describe('preconditions', () => {
  test('412: If-None-Match on what exists, a stale If-Match, in the type’s words', async () => {
    const path = `${widgets}/guarded`
    const only = { 'if-none-match': '*' }
    const { body } = await arm.put(path, BODY, only)
    const again = await arm.put(path, BODY, only)
    assert.deepEqual(
      [again.status, again.body.error],
      [
        412,
        {
          code: 'PreconditionFailed',
          message: 'The Widget guarded exists already and hence cannot be created again.',
        },
      ],
    )
    assert.equal((await arm.put(path, BODY, { 'if-match': body.etag })).status, 200)
    await arm.put(path, { ...BODY, tags: { v: '2' } })
    const stale = await arm.put(path, BODY, { 'if-match': body.etag })
    assert.equal(stale.body.error.message, 'The Widget guarded has been modified (etag mismatch).')
    assert.equal((await arm.delete(path, { 'if-match': body.etag })).status, 412)
    assert.equal((await arm.patch(path, {}, { 'if-match': body.etag })).status, 412)
    assert.equal((await arm.delete(path, { 'if-match': '*' })).status, 200)
  })
})

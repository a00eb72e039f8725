import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createArmForTests, type TestArm } from '../../test/support/arm.ts'
import { widgetsProvider } from '../../test/support/widgets.ts'
import type { Change } from '../storage/change-feed.ts'

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

describe('paths', () => {
  test('match in any case and with spare slashes; answers keep the first case', async () => {
    const { body } = await arm.put(`${widgets}/CamelCase`, BODY)
    const again = await arm.get(`/${body.id.toUpperCase().replaceAll('/', '//')}/`)
    assert.deepEqual([again.status, again.body], [200, body])
    const part = await arm.put(`${body.id.toLowerCase()}/PARTS/One`, { properties: {} })
    assert.equal(part.body.id, `${body.id}/parts/One`)
    assert.equal(part.body.type, 'Example.Test/widgets/parts')
    assert.equal(part.body.properties.provisioningState, 'Succeeded')
  })

  for (const [path, status, code, message] of [
    [
      'resourceGroups/none/providers/Example.Test/widgets/w',
      404,
      'ResourceGroupNotFound',
      "Resource group 'none' could not be found.",
    ],
    [
      'resourceGroups/Main/providers/Example.Test/widgets/w',
      404,
      'ResourceNotFound',
      "The Resource 'Example.Test/widgets/w' under resource group 'Main' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    ],
    [
      'resourceGroups/Main/providers/Example.Test/widgets/w/parts/p',
      404,
      'ResourceNotFound',
      "The Resource 'Example.Test/widgets/w/parts/p' under resource group 'Main' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    ],
    [
      'resourceGroups/Main/providers/Example.Test/widgets/w/parts',
      404,
      'ResourceNotFound',
      undefined,
    ],
    [
      'resourceGroups/Main/providers/Example.Test/gadgets/w',
      404,
      'InvalidResourceType',
      "The resource type could not be found in the namespace 'Example.Test' for api version '2024-01-01'.",
    ],
    ['providers/Example.Test/widgets/w', 404, 'InvalidResourceType', undefined],
    [
      'resourceGroups/Main/providers/Example.None/widgets/w',
      404,
      'InvalidResourceNamespace',
      "The resource namespace 'Example.None' is invalid.",
    ],
    ['resourceGroups/Main/odd', 404, 'NotFound', undefined],
    ['/odd', 404, 'NotFound', undefined],
    ['/', 404, 'NotFound', undefined],
    [
      '/subscriptions/00000000-0000-4000-8000-00000000dead/resourceGroups',
      404,
      'SubscriptionNotFound',
      undefined,
    ],
    ['/%ff', 400, 'InvalidRequestContent', undefined],
    ['/a%2Fb', 400, 'InvalidRequestUri', undefined],
  ] as const) {
    test(`${status}: GET ${path.slice(-60)}`, async () => {
      const answer = await arm.get(path)
      assert.deepEqual([answer.status, answer.body.error.code], [status, code])
      if (message) assert.equal(answer.body.error.message, message)
    })
  }

  test('404: a child is written under a parent that is not there', async () => {
    const answer = await arm.put(`${widgets}/nobody/parts/p`, { properties: {} })
    assert.deepEqual(
      [answer.status, answer.body.error],
      [
        404,
        {
          code: 'ParentResourceNotFound',
          message: `Failed to perform 'write' on resource(s) of type 'widgets/parts', because the parent resource '${widgets}/nobody' could not be found.`,
        },
      ],
    )
    assert.equal(answer.headers['x-ms-failure-cause'], 'gateway')
  })

  test('a type’s own errors may be bare', async () => {
    await arm.put(`${widgets}/bare`, BODY)
    const answer = await arm.put(`${widgets}/bare/parts/p`, { properties: { width: 13 } })
    assert.deepEqual(
      [answer.status, answer.body],
      [400, { code: 'Unlucky', message: 'Thirteen is refused.' }],
    )
  })
})

describe('lists', () => {
  test('show a group, a subscription or a parent, in pages whose links are absolute', async () => {
    const own = await arm.group('Lists')
    const there = `${own}/providers/Example.Test/widgets`
    for (const name of ['b', 'A', 'c']) await arm.put(`${there}/${name}`, BODY)
    await arm.put(`${there}/a/parts/p`, { properties: {} })
    const names = (items: readonly { name: string }[]) => items.map(({ name }) => name)
    assert.deepEqual(names(await arm.list(there)), ['A', 'b', 'c'])
    assert.deepEqual(names(await arm.list(`${there}/A/parts`)), ['p'])
    assert.deepEqual(names(await arm.list(`${there}/A/Everything`)), ['p'])
    const first = await arm.get(`${there}?$top=2`)
    assert.deepEqual(names(first.body.value), ['A', 'b'])
    assert.match(first.body.nextLink, /^http:\/\/localhost.*skiptoken=/)
    assert.deepEqual(names(await arm.list(`${there}?$top=1`)), ['A', 'b', 'c'])
    const everywhere = await arm.list('providers/Example.Test/widgets')
    assert.ok(everywhere.filter(({ id }) => id.startsWith(there)).length === 3)
    assert.equal((await arm.get(`${there}?$top=x`)).status, 400)
  })
})

describe('actions', () => {
  test('GET actions get the rest of the path', async () => {
    await arm.put(`${widgets}/acting`, BODY)
    const answer = await arm.get(`${widgets}/acting/WEIGH/a/b`)
    assert.deepEqual(answer.body, { segments: ['a', 'b'] })
    assert.equal((await arm.post(`${widgets}/acting/weigh`)).status, 405)
    assert.equal((await arm.post(`${widgets}/none/reveal`)).status, 404)
    assert.equal((await arm.post(`${widgets}/acting/odd`)).status, 404)
  })

  test('an asynchronous one is polled to its result or its error', async () => {
    await arm.put(`${widgets}/async`, BODY)
    const poll = async (body: unknown) => {
      let answer = await arm.post(`${widgets}/async/paint`, body)
      assert.equal(answer.status, 202)
      assert.match(
        String(answer.headers.location),
        /\/providers\/Example.Test\/locations\/westeurope\/operationResults\//,
      )
      while (answer.status === 202) answer = await arm.get(String(answer.headers.location))
      return answer
    }
    const done = await poll({ color: 'red' })
    assert.deepEqual([done.status, done.body], [200, { color: 'red' }])
    assert.equal((await arm.get(`${widgets}/async/parts/paint`)).status, 200)
    const failed = await poll({ color: 'blue' })
    assert.deepEqual([failed.status, failed.body.error.code], [400, 'BadColor'])
  })

  test('500: a crash tells nothing and leaves nothing behind', async () => {
    await arm.put(`${widgets}/crash`, BODY)
    const answer = await arm.post(`${widgets}/crash/crash`)
    assert.deepEqual(
      [answer.status, answer.body],
      [
        500,
        {
          error: {
            code: 'InternalServerError',
            message: 'The server failed to process the request.',
          },
        },
      ],
    )
    assert.equal((await arm.get(`${widgets}/crash/parts/half`)).status, 404)
  })

  test('a namespace answers at the subscription', async () => {
    const answer = await arm.post('providers/Example.Test/Greet', { hello: 1 })
    assert.deepEqual(answer.body, {
      subscriptionId: arm.settings.subscriptionId,
      body: { hello: 1 },
    })
  })
})

describe('references', () => {
  const tieTo = (id: string, more = {}) => ({ properties: { widget: { id }, ...more } })

  test('both ends see each other, after writes and after deletions', async () => {
    const { body: widget } = await arm.put(`${widgets}/tied`, BODY)
    const ties = `${group}/providers/Example.Test/ties`
    const tie = await arm.put(`${ties}/t1`, tieTo(`${widgets}/later`))
    assert.equal(tie.body.properties.seen, undefined)
    const bound = await arm.put(`${ties}/t2`, tieTo(widget.id.toUpperCase()))
    assert.equal(bound.status, 201)
    await arm.put(`${widgets}/later`, BODY)
    assert.equal((await arm.get(`${ties}/t1`)).body.properties.seen, true)
    await arm.put(`${widgets}/tied/parts/p`, { properties: {} })
    await arm.put(`${widgets}/tied`, { ...BODY, properties: { size: 7 } })
    assert.equal((await arm.get(`${widgets}/tied/parts/p`)).body.properties.size, 7)

    const refused = await arm.delete(`${widgets}/later`)
    assert.deepEqual([refused.status, refused.body.error.code], [409, 'InUse'])
    const changes: Change[] = []
    const stop = arm.feed.subscribe((each) => void changes.push(...each))
    assert.equal((await arm.delete(`${ties}/t1`)).status, 200)
    assert.equal((await arm.delete(`${widgets}/later`)).status, 200)
    stop()
    assert.deepEqual(
      changes.map(({ id, kind }) => [id, kind]),
      [
        [`${ties}/t1`, 'deleted'],
        [`${widgets}/later`, 'deleted'],
      ],
    )
    assert.equal((changes[1]?.revision ?? 0) - (changes[0]?.revision ?? 0), 1)
  })

  test('500: types that never settle are undone', async () => {
    const ties = `${group}/providers/Example.Test/ties`
    const first = await arm.put(`${ties}/x`, tieTo(`${ties}/y`, { restless: true }))
    assert.equal(first.status, 201)
    const second = await arm.put(`${ties}/y`, tieTo(`${ties}/x`, { restless: true }))
    assert.deepEqual([second.status, second.body.error.code], [500, 'InternalServerError'])
    assert.equal((await arm.get(`${ties}/y`)).status, 404)
    assert.equal((await arm.get(`${ties}/x`)).body.properties.turns, 0)
  })
})

describe('a group', () => {
  test('goes with all it holds, whatever order that takes', async () => {
    const own = await arm.group('Going')
    const there = `${own}/providers/Example.Test`
    await arm.put(`${there}/widgets/w`, BODY)
    await arm.put(`${there}/widgets/w/parts/p`, { properties: {} })
    await arm.put(`${there}/ties/t`, { properties: { widget: { id: `${there}/widgets/w` } } })
    assert.equal((await arm.deleteAndWait(own)).status, 200)
    await arm.group('going')
    assert.deepEqual(await arm.list(`${own}/resources`), [])
    assert.deepEqual(await arm.list(`${there}/ties`), [])
  })

  test('409: stays whole while something elsewhere holds on to its content', async () => {
    const own = await arm.group('Held')
    const there = `${own}/providers/Example.Test`
    await arm.put(`${there}/widgets/w`, BODY)
    await arm.put(`${there}/ties/inner`, { properties: { widget: { id: `${there}/widgets/w` } } })
    const outer = `${group}/providers/Example.Test/ties/outer`
    await arm.put(outer, { properties: { widget: { id: `${there}/widgets/w` } } })
    const refused = await arm.deleteAndWait(own)
    assert.deepEqual([refused.status, refused.body.error.code], [409, 'InUse'])
    assert.equal((await arm.get(`${there}/ties/inner`)).status, 200)
    await arm.delete(outer)
    assert.equal((await arm.deleteAndWait(own)).status, 200)
  })
})

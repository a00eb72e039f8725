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
    [
      'resourceGroups/Main/providers/Example.Test/widgets/w/screws/s',
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

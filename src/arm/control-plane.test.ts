import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createArmForTests, type TestArm } from '../../test/support/arm.ts'

let arm: TestArm
before(async () => {
  arm = await createArmForTests()
})
after(() => arm.close())

test('a group is created, replayed, shown in any case and deleted', async () => {
  const created = await arm.put('resourcegroups/Shop', {
    location: 'West Europe',
    tags: { a: 'b' },
  })
  assert.equal(created.status, 201)
  assert.deepEqual(created.body, {
    type: 'Microsoft.Resources/resourceGroups',
    id: `${arm.subscription}/resourceGroups/Shop`,
    name: 'Shop',
    location: 'westeurope',
    tags: { a: 'b' },
    properties: { provisioningState: 'Succeeded' },
  })
  const again = await arm.put('resourceGroups/SHOP', { location: 'westeurope', tags: { a: 'b' } })
  assert.equal(again.status, 200)
  assert.deepEqual(again.body, created.body)
  assert.equal((await arm.head('resourceGroups/shop')).status, 204)

  const deletion = await arm.delete('resourceGroups/shop')
  assert.equal(deletion.status, 202)
  assert.equal(deletion.headers['retry-after'], '1')
  const end = await arm.get(String(deletion.headers.location))
  assert.deepEqual([end.status, end.body], [200, undefined])
  assert.equal((await arm.head('resourceGroups/shop')).status, 404)
  assert.deepEqual((await arm.get('resourceGroups/shop')).body.error, {
    code: 'ResourceGroupNotFound',
    message: "Resource group 'shop' could not be found.",
  })
})

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

test('groups are found by their tags', async () => {
  await arm.put('resourceGroups/Tagged', { location: 'eastus', tags: { Team: 'Blue' } })
  await arm.put('resourceGroups/Untagged', { location: 'eastus', tags: { Team: 'Red' } })
  const found = await arm.list("resourceGroups?$filter=tagname eq 'team' and tagvalue eq 'blue'")
  assert.deepEqual(
    found.map(({ name }) => name),
    ['Tagged'],
  )
})

test('409 and 400: a group moves nowhere, and lies in a region that there is', async () => {
  await arm.put('resourceGroups/Settled', { location: 'eastus' })
  const moved = await arm.put('resourceGroups/Settled', { location: 'westus' })
  assert.deepEqual([moved.status, moved.body.error.code], [409, 'InvalidResourceGroupLocation'])
  const nowhere = await arm.put('resourceGroups/Lost', { location: 'atlantis' })
  assert.deepEqual(
    [nowhere.status, nowhere.body.error.code],
    [400, 'LocationNotAvailableForResourceGroup'],
  )
  const bad = await arm.put('resourceGroups/ends.', { location: 'eastus' })
  assert.equal(bad.status, 400)
})

test('of two who may only create, one does', async () => {
  const create = () =>
    arm.put('resourceGroups/Race', { location: 'eastus' }, { 'if-none-match': '*' })
  const answers = await Promise.all([create(), create(), create()])
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, 412, 412])
})

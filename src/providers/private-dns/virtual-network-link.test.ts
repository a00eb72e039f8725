import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createArmForTests, OWNER } from '../../../test/support/arm.ts'
import { IF_NEW, NAME, provider, usePrivateDns } from './private-dns-for-tests.ts'

const dns = usePrivateDns()

test('a link shows its state and counts in its zone', async () => {
  const networkId = await dns.createNetwork('vnet1')
  const created = await dns.link('mylink', networkId, { registrationEnabled: true })
  assert.equal(created.status, 201)
  const { etag: _, ...shown } = created.body
  assert.deepEqual(shown, {
    id: `${dns.zone}/virtualNetworkLinks/mylink`,
    name: 'mylink',
    type: 'Microsoft.Network/privateDnsZones/virtualNetworkLinks',
    location: 'global',
    properties: {
      provisioningState: 'Succeeded',
      registrationEnabled: true,
      virtualNetwork: { id: networkId },
      virtualNetworkLinkState: 'Completed',
    },
  })
  const { properties } = (await dns.arm.get(dns.zone)).body
  assert.equal(properties.numberOfVirtualNetworkLinks, 1)
  assert.equal(properties.numberOfVirtualNetworkLinksWithRegistration, 1)
})

test('412: a link that is there is not created again', async () => {
  const networkId = await dns.createNetwork('vnet1')
  await dns.link('mylink', networkId)
  const body = { location: 'global', properties: { virtualNetwork: { id: networkId } } }
  const again = await dns.arm.put(`${dns.zone}/virtualNetworkLinks/mylink`, body, IF_NEW)
  assert.equal(again.status, 412)
  assert.deepEqual(again.body.error, {
    code: 'PreconditionFailed',
    message: `The Virtual Network link mylink for the Private DNS zone ${NAME} exists already and hence cannot be created again.`,
  })
})

test('400: a network is linked to one zone of a name only', async () => {
  const networkId = await dns.createNetwork('vnet1')
  await dns.link('mylink', networkId)
  const again = await dns.link('second', networkId.toUpperCase())
  assert.equal(again.status, 400)
  assert.deepEqual(again.body.error, {
    code: 'BadRequest',
    message:
      'A virtual network cannot be linked to multiple zones with overlapping namespaces. ' +
      `You tried to link virtual network with '${NAME}' and '${NAME}' zones.`,
  })
})

test('a zone below another may be linked to the same network', async () => {
  const networkId = await dns.createNetwork('vnet1')
  await dns.link('mylink', networkId)
  const inner = await dns.createZone(`inner.${NAME}`)
  assert.equal((await dns.link('mylink', networkId, {}, inner)).status, 201)
})

test('409: a network registers names in one zone only', async () => {
  const networkId = await dns.createNetwork('vnet1')
  await dns.link('mylink', networkId, { registrationEnabled: true })
  const other = await dns.createZone('corp.example')
  const answer = await dns.link('mylink', networkId, { registrationEnabled: true }, other)
  assert.equal(answer.status, 409)
  assert.match(answer.body.error.message, /auto-registration enabled; conflicting .* "privatelink/)
})

test('400 and 404: the network must be one, and be there', async () => {
  const malformed = await dns.link('mylink', 'vnet1')
  assert.equal(malformed.status, 400)
  assert.equal(malformed.body.error.code, 'LinkedInvalidPropertyId')
  assert.equal((await dns.link('mylink', dns.zone)).body.error.code, 'LinkedInvalidPropertyId')
  const missing = `${dns.group}/providers/Microsoft.Network/virtualNetworks/none`
  const answer = await dns.link('mylink', missing)
  assert.equal(answer.status, 404)
  assert.match(answer.body.error.message, /'Microsoft.Network\/virtualNetworks\/none' under/)
})

test('409: a link keeps its network', async () => {
  await dns.link('mylink', await dns.createNetwork('vnet1'))
  assert.equal((await dns.link('mylink', await dns.createNetwork('vnet2'))).status, 409)
})

test('links go with their network, and then the zone can go', async () => {
  const networkId = await dns.createNetwork('vnet1')
  await dns.link('mylink', networkId)
  assert.equal((await dns.arm.delete(networkId)).status, 200)
  assert.equal((await dns.arm.get(`${dns.zone}/virtualNetworkLinks/mylink`)).status, 404)
  assert.equal((await dns.arm.delete(dns.zone)).status, 200)
})

test('the resolution policy is for privatelink zones, and shows in its own versions', async () => {
  const networkId = await dns.createNetwork('vnet1')
  const created = await dns.link('mylink', networkId, { resolutionPolicy: 'NxDomainRedirect' })
  assert.equal(created.status, 201, JSON.stringify(created.body))
  const id = `${dns.zone}/virtualNetworkLinks/mylink`
  const policy = async (version: string) =>
    (await dns.arm.get(`${id}?api-version=${version}`)).body.properties.resolutionPolicy
  assert.equal(await policy('2024-06-01'), 'NxDomainRedirect')
  assert.equal(await policy('2020-06-01'), undefined)

  const other = await dns.createZone('corp.example')
  const refused = await dns.link(
    'mylink',
    networkId,
    { resolutionPolicy: 'NxDomainRedirect' },
    other,
  )
  assert.deepEqual([refused.status, refused.body.error.code], [400, 'BadRequest'])
  assert.equal((await dns.link('third', networkId, { resolutionPolicy: 'Never' })).status, 400)
})

test('a PATCH changes registration and tags', async () => {
  await dns.link('mylink', await dns.createNetwork('vnet1'))
  const answer = await dns.arm.patch(`${dns.zone}/virtualNetworkLinks/mylink`, {
    tags: { a: 'b' },
    properties: { registrationEnabled: true },
  })
  assert.equal(answer.status, 200)
  assert.equal(answer.body.properties.registrationEnabled, true)
  assert.deepEqual(answer.body.tags, { a: 'b' })
})

test('403: linking needs the right to join the network', async () => {
  const guarded = await createArmForTests({
    providers: [provider],
    authorizer: { isAllowed: (_principal, action) => !action.endsWith('/join/action') },
  })
  try {
    const inner = await guarded.group('g')
    const base = `${inner}/providers/Microsoft.Network`
    await guarded.put(`${base}/privateDnsZones/${NAME}`, { location: 'global' })
    await guarded.put(`${base}/virtualNetworks/vnet1`, { location: 'westeurope' })
    const answer = await guarded.put(`${base}/privateDnsZones/${NAME}/virtualNetworkLinks/l`, {
      location: 'global',
      properties: { virtualNetwork: { id: `${base}/virtualNetworks/vnet1` } },
    })
    assert.deepEqual([answer.status, answer.body.error.code], [403, 'LinkedAuthorizationFailed'])
    assert.ok(answer.body.error.message.includes(OWNER.objectId))
  } finally {
    await guarded.close()
  }
})

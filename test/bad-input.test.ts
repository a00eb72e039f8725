import assert from 'node:assert/strict'
import { sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type ArmClient, accepted, createArmClient, refused } from './support/arm-client.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import {
  endpointBody,
  importSample,
  makeGroup,
  makeNetwork,
  makeRegistry,
  type Network,
  type Registry,
} from './support/private-registry.ts'
import { accessToken, bearer, curl } from './support/registry-client.ts'

const HOST = 'strictregistry.azurecr.io'
const NETWORKS = 'providers/Microsoft.Network/virtualNetworks'

describe("bad input is refused with the service's own error", {
  ...needs('places', 'ip', 'curl'),
  timeout: 180_000,
}, () => {
  let causeway: Causeway
  let arm: ArmClient
  let group: string
  let network: Network
  let registry: Registry

  before(async () => {
    causeway = await startCauseway()
    arm = await createArmClient(causeway)
    group = await makeGroup(arm, 'strict')
    network = await makeNetwork(arm, group, 'strict')
    registry = await makeRegistry(arm, group, 'strictregistry')
    await importSample(arm, registry)
  })
  after(() => causeway?.remove())

  const endpoint = (name: string) => `${group}/providers/Microsoft.Network/privateEndpoints/${name}`
  const registryId = (name: string) =>
    `${group}/providers/Microsoft.ContainerRegistry/registries/${name}`

  test('409: a registry before its provider is registered', async () => {
    const { subscriptionId } = await causeway.status()
    const provider = `/subscriptions/${subscriptionId}/providers/Microsoft.ContainerRegistry`
    accepted(await arm.post(`${provider}/unregister`))
    try {
      const answer = await arm.put(registryId('tooearly'), {
        location: 'westeurope',
        sku: { name: 'Basic' },
      })
      refused(answer, 409, 'MissingSubscriptionRegistration')
    } finally {
      accepted(await arm.post(`${provider}/register`))
    }
  })

  test('404: an endpoint to a registry that does not exist', async () => {
    const answer = await arm.put(
      endpoint('lost'),
      endpointBody(registryId('nosuchregistry'), network.subnetId),
    )
    assert.match(refused(answer, 404, 'ResourceNotFound'), /nosuchregistry/)
  })

  test('400: an endpoint to a registry below Premium', async () => {
    const basic = await makeRegistry(arm, group, 'basicregistry', 'Basic')
    const answer = await arm.put(endpoint('cheap'), endpointBody(basic.id, network.subnetId))
    assert.equal(answer.status, 400)
    assert.match(answer.body.error?.message ?? '', /not supported for the SKU Basic/)
    assert.equal((await arm.get(endpoint('cheap'))).status, 404)
  })

  test('400: an endpoint in a subnet that does not exist', async () => {
    const answer = await arm.put(
      endpoint('nowhere'),
      endpointBody(registry.id, `${network.id}/subnets/nosuchsubnet`),
    )
    refused(answer, 400, 'InvalidResourceReference')
  })

  test('400: subnets that overlap', async () => {
    const answer = await arm.put(`${network.id}/subnets/again`, {
      properties: { addressPrefix: '10.0.0.128/25' },
    })
    refused(answer, 400, 'NetcfgSubnetRangesOverlap')
  })

  test('400: a subnet outside its network, and a prefix that is none', async () => {
    const put = (addressPrefix: string) =>
      arm.put(`${network.id}/subnets/odd`, { properties: { addressPrefix } })
    refused(await put('192.168.0.0/24'), 400, 'NetcfgSubnetRangeOutsideVnet')
    refused(await put('10.0.1.0/99'), 400, 'InvalidAddressPrefixFormat')
  })

  test('400: an endpoint in a subnet without enough free addresses', async () => {
    // Of eight addresses three are free: one endpoint with two members fits, the next does not.
    const small = await makeNetwork(arm, group, 'small', '10.5.0.0/16', '10.5.0.0/29')
    accepted(await arm.put(endpoint('fits'), endpointBody(registry.id, small.subnetId)))
    refused(
      await arm.put(endpoint('full'), endpointBody(registry.id, small.subnetId)),
      400,
      'SubnetIsFull',
    )
    await arm.delete(endpoint('fits'))
  })

  test('400: an id that is none', async () => {
    for (const id of ['myregistry', '/subscriptions/only/half', '']) {
      const answer = await arm.put(endpoint('odd'), endpointBody(id, network.subnetId))
      assert.equal(answer.status, 400, JSON.stringify(answer.body))
      assert.ok(answer.body.error?.code, 'a code of the service')
    }
  })

  test('400: a body that is no JSON, and one of the wrong shape', async () => {
    const path = `${group}/${NETWORKS}/broken`
    const broken = await arm.sendText('PUT', path, '{"location": ')
    refused(broken, 400, 'InvalidRequestContent')
    const odd = await arm.put(path, { location: 'westeurope', properties: 'none' })
    refused(odd, 400, 'InvalidRequestContent')
    assert.doesNotMatch(JSON.stringify(odd.body), /FST_|node_modules|\.ts:/)
  })

  test('404: a resource in a group that does not exist', async () => {
    const answer = await arm.put(`${arm.subscription}/resourceGroups/nosuchgroup/${NETWORKS}/n`, {
      location: 'westeurope',
    })
    refused(answer, 404, 'ResourceGroupNotFound')
  })

  test('409: the name of a registry that exists in another group', async () => {
    const other = await makeGroup(arm, 'strict-other')
    const body = { location: 'westeurope', sku: { name: 'Basic' } }
    const taken = `${other}/providers/Microsoft.ContainerRegistry/registries/StrictRegistry`
    refused(await arm.put(taken, body), 409, 'AlreadyInUse')
    const check = await arm.post<{ nameAvailable: boolean; reason: string }>(
      `${arm.subscription}/providers/Microsoft.ContainerRegistry/checkNameAvailability`,
      { name: 'strictregistry', type: 'Microsoft.ContainerRegistry/registries' },
    )
    assert.equal(check.body.nameAvailable, false)
    assert.equal(check.body.reason, 'AlreadyExists')
  })

  test('401: a token of nobody, and one that has expired', async () => {
    const real = await createArmToken()
    for (const token of ['not-a-token', await expired(real)]) {
      const answer = await curl(causeway, internet, [
        ...bearer(token),
        'https://management.azure.com/subscriptions?api-version=2021-04-01',
      ])
      assert.equal(answer.status, 401)
      assert.match(answer.text, /InvalidAuthenticationToken|ExpiredAuthenticationToken/)
    }
  })

  test('401: the registry takes no expired token either', async () => {
    const exchange = await curl(causeway, internet, [
      ...['-d', 'grant_type=access_token', '-d', `service=${HOST}`],
      ...['--data-urlencode', `access_token=${await expired(await createArmToken())}`],
      `https://${HOST}/oauth2/exchange`,
    ])
    assert.equal(exchange.status, 401)
    const stale = await curl(causeway, internet, [...bearer('stale'), `https://${HOST}/v2/`])
    assert.equal(stale.status, 401)
    assert.match(stale.headers['www-authenticate'] ?? '', /^Bearer realm="https:/)
  })

  test('404: an unknown repository and an unknown tag', async () => {
    for (const [repository, tag, code] of [
      ['hello-world', 'never', /^MANIFEST_UNKNOWN$/],
      ['never', 'v1', /NAME_UNKNOWN|MANIFEST_UNKNOWN/],
    ] as const) {
      const scope = `repository:${repository}:pull`
      const answer = await curl(causeway, internet, [
        ...bearer(await accessToken(causeway, internet, HOST, scope)),
        `https://${HOST}/v2/${repository}/manifests/${tag}`,
      ])
      assert.equal(answer.status, 404)
      assert.match(codeOf(answer.text), code)
    }
  })

  test('400: content that is not what its digest says', async () => {
    const token = await accessToken(causeway, internet, HOST, 'repository:odd:pull,push')
    const uploads = `https://${HOST}/v2/odd/blobs/uploads/`
    const opened = await curl(causeway, internet, [...bearer(token), '-X', 'POST', uploads])
    assert.equal(opened.status, 202)
    const location = new URL(opened.headers.location ?? '', uploads)
    location.searchParams.set('digest', `sha256:${'0'.repeat(64)}`)
    const closed = await curl(causeway, internet, [
      ...bearer(token),
      ...['-X', 'PUT', '-H', 'Content-Type: application/octet-stream', '--data-binary', 'content'],
      location.href,
    ])
    assert.equal(closed.status, 400)
    assert.equal(codeOf(closed.text), 'DIGEST_INVALID')
  })

  test('400: a name that no repository can have', async () => {
    const token = await accessToken(causeway, internet, HOST, 'repository:odd:pull,push')
    const path = ['--path-as-is', `https://${HOST}/v2/UPPER/manifests/v1`]
    const answer = await curl(causeway, internet, [...bearer(token), ...path])
    assert.equal(answer.status, 400)
    assert.equal(codeOf(answer.text), 'NAME_INVALID')
  })

  async function createArmToken(): Promise<string> {
    const answer = await causeway.inPlace(internet, [
      ...['sh', '-c'],
      'curl -sSf "https://login.microsoftonline.com/$AZURE_TENANT_ID/oauth2/v2.0/token" ' +
        '-d grant_type=client_credentials -d "client_id=$AZURE_CLIENT_ID" ' +
        '--data-urlencode "client_secret=$AZURE_CLIENT_SECRET" ' +
        '--data-urlencode scope=https://management.core.windows.net//.default',
    ])
    return (JSON.parse(answer.stdout) as { access_token: string }).access_token
  }

  // The same token as it would be two days later, under the server's own key: only its time is wrong.
  async function expired(token: string): Promise<string> {
    const [header = '', payload = ''] = token.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { exp: number }
    const ended = Buffer.from(JSON.stringify({ ...claims, exp: claims.exp - 172_800 }))
    const signed = `${header}.${ended.toString('base64url')}`
    const keys = await readFile(join(causeway.dataFolder, 'keys/keys.json'), 'utf8')
    const { signing } = JSON.parse(keys) as { signing: string }
    return `${signed}.${sign('sha256', Buffer.from(signed), signing).toString('base64url')}`
  }
})

function codeOf(text: string): string {
  const { errors } = JSON.parse(text) as { errors: readonly { code: string }[] }
  return errors[0]?.code ?? ''
}

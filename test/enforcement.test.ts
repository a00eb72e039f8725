import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { type ArmClient, createArmClient } from './support/arm-client.ts'
import { type Causeway, internet, startCauseway, type Where } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import {
  connect,
  decideConnection,
  type Endpoint,
  importSample,
  makeGroup,
  makeNetwork,
  makeRegistry,
  type Network,
  type Registry,
  setPublicAccess,
} from './support/private-registry.ts'
import { accessToken, bearer, curl, curlRaw, firstLayer } from './support/registry-client.ts'
import { failed, succeeded } from './support/run.ts'

const [east, west, apart] = [{ vnet: 'east' }, { vnet: 'west' }, { vnet: 'apart' }]
const HOST = 'closedhouse.azurecr.io'
const PULL = 'repository:hello-world:pull'
const UNREACHABLE = /Connection refused|Couldn't connect|Failed to connect|No route to host/i

// An upload whose body never ends: the descriptor is a pipe that this shell itself holds open. '-T .' has curl watch
// the connection while it waits for input, which '-T -' does not.
const TRANSFER = `
  location=$(curl -sS -D - -o /dev/null -X POST -H "Authorization: Bearer $2" -H 'Content-Length: 0' \\
    "https://$1/v2/slow/blobs/uploads/" | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p')
  case $location in /*) location=https://$1$location ;; esac
  exec 4<> <(:)
  printf 'the first bytes' >&4
  curl -sS -v --http1.1 -X PATCH -T . -H 'Expect: 100-continue' -H "Authorization: Bearer $2" \\
    -H 'Content-Type: application/octet-stream' "$location" <&4 2>&1
`

// The tests build on each other: what one rejects, it approves again.
for (const workers of [0, 2]) {
  describe(
    `a registry that is closed to the public, with ${workers} workers`,
    {
      ...needs('places', 'ip', 'dig', 'curl'),
      timeout: 300_000,
    },
    () => testEnforcement(workers),
  )
}

function testEnforcement(workers: number): void {
  let causeway: Causeway
  let arm: ArmClient
  let registry: Registry
  let networks: Readonly<Record<'east' | 'west', Network>>
  let endpoints: Readonly<Record<'east' | 'west', Endpoint>>
  let token: string

  before(async () => {
    causeway = await startCauseway({ workers })
    arm = await createArmClient(causeway)
    const [group, other] = [await makeGroup(arm, 'east'), await makeGroup(arm, 'west')]
    registry = await makeRegistry(arm, group, 'closedhouse')
    await importSample(arm, registry)
    // Both have the same prefixes; only the place tells them apart.
    networks = {
      east: await makeNetwork(arm, group, 'east'),
      west: await makeNetwork(arm, other, 'west'),
    }
    endpoints = {
      east: await connect(arm, networks.east, registry),
      west: await connect(arm, networks.west, registry),
    }
    await makeNetwork(arm, group, 'apart')
    await setPublicAccess(arm, registry, 'Disabled')
    token = await accessToken(causeway, east, HOST, PULL)
  })
  after(() => causeway?.remove())

  const manifest = (where: Where) =>
    curl(causeway, where, [...bearer(token), `https://${HOST}/v2/hello-world/manifests/v1`])

  /** The registry at its endpoint's address, whatever the names say. */
  const direct = (side: 'east' | 'west') => [
    ...['--resolve', `${HOST}:443:${endpoints[side].address}`],
    `https://${HOST}/v2/`,
  ]

  const dig = async (where: Where, ...args: readonly string[]): Promise<string> =>
    succeeded(await causeway.inPlace(where, ['dig', ...args]))

  test('403: refuses a client outside in the words of the service, on every path', async () => {
    for (const path of ['/v2/', '/v2/hello-world/manifests/v1', '/oauth2/token']) {
      const answer = await curl(causeway, internet, [`https://${HOST}${path}`])
      assert.equal(answer.status, 403, path)
      const { errors } = JSON.parse(answer.text) as { errors: { code: string; message: string }[] }
      assert.equal(errors[0]?.code, 'DENIED')
      assert.match(
        errors[0]?.message ?? '',
        /^client with IP '\d+\.\d+\.\d+\.\d+' is not allowed access\. Refer https:\/\/aka\.ms\/acr\/firewall to grant access\.$/,
      )
    }
  })

  test('403: refuses a network that has no endpoint', async () => {
    assert.equal((await curl(causeway, apart, [`https://${HOST}/v2/`])).status, 403)
  })

  test('serves two networks with the same addresses, each through its own endpoint', async () => {
    assert.equal(endpoints.east.address, endpoints.west.address)
    assert.equal((await manifest(east)).status, 200)
    assert.equal((await manifest(west)).status, 200)
  })

  test('403: a signed blob URL from inside is worth nothing outside', async () => {
    const layer = await firstLayer(
      causeway,
      east,
      { loginServer: HOST, repository: 'hello-world', tag: 'v1' },
      token,
    )
    const blob = `https://${HOST}/v2/hello-world/blobs/${layer}`
    const redirect = await curl(causeway, east, [...bearer(token), blob])
    assert.equal(redirect.status, 307)
    const signed = redirect.headers.location ?? ''
    assert.match(signed, /^https:\/\/closedhouse\.westeurope\.data\.azurecr\.io\//)
    assert.equal((await curl(causeway, east, [signed])).status, 200)
    assert.equal((await curl(causeway, internet, [signed])).status, 403)
    assert.equal((await curl(causeway, apart, [signed])).status, 403)
  })

  test('rejecting a connection ends a transfer in progress; approving it serves again', {
    timeout: 60_000,
  }, async () => {
    const transfer = slowTransfer(
      await accessToken(causeway, east, HOST, 'repository:slow:pull,push'),
    )
    try {
      await transfer.started
      await decideConnection(arm, registry, endpoints.east, 'Rejected')
      assert.notEqual(await transfer.exitCode, 0, 'the transfer went on')
    } finally {
      transfer.end()
    }

    failed(await curlRaw(causeway, east, [`https://${HOST}/v2/`]))
    assert.match(failed(await curlRaw(causeway, east, direct('east'))), UNREACHABLE)
    assert.equal((await manifest(west)).status, 200, 'the other endpoint is not concerned')

    await decideConnection(arm, registry, endpoints.east, 'Approved')
    assert.equal((await manifest(east)).status, 200)
  })

  test('after its endpoint is deleted, names of a zone group are gone and nothing listens', async () => {
    await arm.delete(endpoints.east.id)
    assert.match(await dig(east, HOST), /status: NXDOMAIN/)
    assert.match(await dig(east, HOST, '+short'), /^closedhouse\.privatelink\.azurecr\.io\.\s*$/)
    assert.match(failed(await curlRaw(causeway, east, direct('east'))), UNREACHABLE)
    assert.equal((await manifest(west)).status, 200)
  })

  test('after its endpoint is deleted, a record kept by hand still names the dead address', async () => {
    const zone = `${networks.west.group}/providers/Microsoft.Network/privateDnsZones/privatelink.azurecr.io`
    const byHand = `${zone}/A/closedhouse`
    await arm.delete(`${endpoints.west.id}/privateDnsZoneGroups/default`)
    await arm.put(byHand, {
      properties: { ttl: 3600, aRecords: [{ ipv4Address: endpoints.west.address }] },
    })
    assert.equal((await manifest(west)).status, 200)
    await arm.delete(endpoints.west.id)
    const answers = await dig(west, HOST, '+short')
    assert.equal(answers.trim().split('\n').at(-1), endpoints.west.address)
    assert.match(failed(await curlRaw(causeway, west, [`https://${HOST}/v2/`])), UNREACHABLE)
  })

  /** `started` settles when the server has asked for the body; the upload then waits for somebody to end it. */
  function slowTransfer(pushToken: string): {
    readonly started: Promise<void>
    readonly exitCode: Promise<number>
    end(): void
  } {
    const [file, ...args] = causeway.placeArguments(east, [
      ...['bash', '-c', TRANSFER, 'transfer'],
      ...[HOST, pushToken],
    ])
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let log = ''
    return {
      started: new Promise((resolve, reject) => {
        child.stdout.setEncoding('utf8').on('data', (text: string) => {
          log += text
          if (log.includes('100 Continue')) resolve()
        })
        child.once('close', () => reject(new Error(`the transfer never started\n${log}`)))
      }),
      exitCode: new Promise((resolve) => {
        child.once('close', (code) => resolve(code ?? 1))
      }),
      end: () => void child.kill('SIGTERM'),
    }
  }
}

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import events from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import tls from 'node:tls'
import { accepted } from './support/arm-client.ts'
import { createPrincipal } from './support/principals.ts'
import { setPublicAccess } from './support/private-registry.ts'
import { succeeded } from './support/run.ts'
import {
  basic,
  CHUNK,
  digestOf,
  MANIFEST,
  openWorkerHouse,
  untilTold,
  WORKERS,
  type WorkerHouse,
} from './support/worker-house.ts'

/** Of `{}`. */
const EMPTY = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'

describe('a server with workers', { timeout: 240_000 }, () => {
  let house: WorkerHouse

  before(async () => {
    house = await openWorkerHouse()
  })
  after(() => house?.remove())

  interface AuditLine {
    readonly OperationName: string
    readonly Repository?: string
    readonly Tag?: string
    readonly Digest?: string
  }
  async function audited(operation: string, repository: string): Promise<readonly AuditLine[]> {
    const lines = succeeded(await house.causeway.command(['audit', '--json'])).split('\n')
    return lines
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as AuditLine)
      .filter((line) => line.OperationName === operation && line.Repository === repository)
  }

  test('the status names them', async () => {
    const found = await house.workers()
    assert.deepEqual(
      found.map(({ slot, state, replaced }) => ({ slot, state, replaced })),
      [
        { slot: 0, state: 'serving', replaced: 0 },
        { slot: 1, state: 'serving', replaced: 0 },
      ],
    )
    const pids = new Set([house.causeway.serverPid(), ...found.map(({ pid }) => pid)])
    assert.equal(pids.size, 3)
  })

  test('a session begun with one worker is resumed with another', async () => {
    const { hostname, port } = new URL(house.url())
    const handshake = (session?: Buffer): tls.TLSSocket =>
      tls.connect({
        host: '127.0.0.1',
        port: Number(port),
        servername: hostname,
        ca: house.ca,
        ...(session && { session }),
      })
    const first = handshake()
    const [ticket] = (await events.once(first, 'session')) as [Buffer]
    first.destroy()
    for (let round = 0; round < WORKERS; round++) {
      const resumed = handshake(ticket)
      await events.once(resumed, 'secureConnect')
      assert.ok(resumed.isSessionReused())
      resumed.destroy()
    }
  })

  test('what an answer has acknowledged is in effect in every worker', async () => {
    const flags = ['--role', 'AcrPull', '--scope', house.registry.id]
    const puller = await createPrincipal(house.causeway, 'worker-puller', ...flags)
    const service = new URL(house.url()).hostname.replace('localhost', 'azurecr.io')
    const scope = 'repository:hello-world:pull'
    const { text } = await house.once('GET', `/oauth2/token?service=${service}&scope=${scope}`, {
      headers: basic(puller.appId, puller.secret ?? ''),
    })
    const { access_token: token } = JSON.parse(text) as { access_token: string }
    house.connectToEach({ authorization: `Bearer ${token}` })
    const statuses = async () =>
      (await house.toEach((connection) => connection.send('GET', MANIFEST))).map(
        ({ status }) => status,
      )
    assert.deepEqual(await statuses(), [200, 200])

    const assignments = `${house.registry.id}/providers/Microsoft.Authorization/roleAssignments`
    const { value = [] } = accepted(await house.arm.get(`${assignments}?$filter=atScope()`))
    const mine = value.find(({ properties }) => properties?.principalId === puller.objectId)
    for (let round = 0; round < 5; round++) {
      accepted(await house.arm.delete(String(mine?.id)))
      assert.deepEqual(await statuses(), [401, 401], 'a role that was taken away')
      accepted(await house.arm.put(String(mine?.id), { properties: mine?.properties }))
      assert.deepEqual(await statuses(), [200, 200], 'a role that was given')
      await setPublicAccess(house.arm, house.registry, 'Disabled')
      assert.deepEqual(await statuses(), [403, 403], 'public access is off')
      await setPublicAccess(house.arm, house.registry, 'Enabled')
      assert.deepEqual(await statuses(), [200, 200], 'public access is on')
    }
    succeeded(await house.causeway.command(['principal', 'reset', 'worker-puller']))
    assert.deepEqual(await statuses(), [401, 401], 'a token whose secret was replaced')
    assert.deepEqual(
      house.connections().map((each) => each.connections()),
      [1, 1],
      'all of it was asked on the same connections',
    )
  })

  test('requests are counted once, in whichever worker, and forwarded ones too', async () => {
    const count =
      'causeway_http_request_duration_seconds_count{plane="registry",operation="patch_upload",code="2xx"}'
    const received = 'causeway_http_received_bytes_total{plane="registry"}'
    const before = await house.metrics()
    const bytes = randomBytes(CHUNK)
    house.connectToEach()
    let location = await house.begin('counted')
    for (let round = 0; round < 2 * WORKERS; round++) {
      const connection = house.connections()[round % WORKERS] ?? assert.fail()
      const answer = await connection.send('PATCH', location, { body: bytes })
      assert.equal(answer.status, 202)
      location = String(answer.headers.location)
    }
    await house.toEach((connection) => connection.send('GET', MANIFEST))
    const now = await untilTold(
      house.metrics,
      (each) => (each.get(count) ?? 0) - (before.get(count) ?? 0) === 2 * WORKERS,
    )
    assert.equal((now.get(count) ?? 0) - (before.get(count) ?? 0), 2 * WORKERS)
    const carried = (now.get(received) ?? 0) - (before.get(received) ?? 0)
    assert.ok(carried >= 2 * WORKERS * CHUNK, `${carried} bytes`)
    assert.ok(carried < (2 * WORKERS + 1) * CHUNK, `${carried} bytes`)
  })

  test('requests that are on their way are counted in every worker', async () => {
    const active = 'causeway_registry_active_requests{operation="post_uploads"}'
    const goOn = Promise.withResolvers<void>()
    async function* slowly() {
      yield randomBytes(CHUNK)
      await goOn.promise
    }
    house.connectToEach()
    const uploads = house.toEach((connection) =>
      connection.send('POST', `/v2/slow/blobs/uploads/?digest=sha256:${'0'.repeat(64)}`, {
        body: slowly(),
      }),
    )
    const during = await untilTold(house.metrics, (each) => each.get(active) === WORKERS)
    goOn.resolve()
    assert.equal(during.get(active), WORKERS)
    assert.deepEqual(
      (await uploads).map(({ status }) => status),
      [400, 400],
    )
    const after = await untilTold(house.metrics, (each) => !each.get(active))
    assert.equal(after.get(active) ?? 0, 0)
  })

  test('what is deleted is collected, and can be pushed again', async () => {
    const bytes = randomBytes(CHUNK)
    const digest = digestOf(bytes)
    const file = join(house.causeway.dataFolder, 'registry', 'blobs', 'sha256', digest.slice(7, 9))
    const isStored = () => existsSync(join(file, digest.slice(7)))
    for (let round = 0; round < 2 * WORKERS; round++) {
      const path = `/v2/again/blobs/uploads/?digest=${digest}`
      const pushed = await house.once('POST', path, { body: bytes })
      assert.equal(pushed.status, 201, pushed.text)
      assert.ok(isStored())
      const { body } = await house.once('GET', `/v2/again/blobs/${digest}`)
      assert.ok(body.equals(bytes))
      assert.equal((await house.once('DELETE', `/v2/again/blobs/${digest}`)).status, 202)
      succeeded(await house.causeway.command(['gc', '--no-grace']))
      assert.equal(isStored(), false)
      assert.equal((await house.once('GET', `/v2/again/blobs/${digest}`)).status, 404)
    }
  })

  test('the audit trail has what workers served, also what they served last', async () => {
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: EMPTY, size: 2 },
        layers: [],
      }),
    )
    const headers = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }
    const layer = await house.once('POST', `/v2/told/blobs/uploads/?digest=${EMPTY}`, {
      body: '{}',
    })
    assert.equal(layer.status, 201, layer.text)
    const pushed = await house.once('PUT', '/v2/told/manifests/v1', { body: manifest, headers })
    assert.equal(pushed.status, 201, pushed.text)
    // A push is in the trail as soon as it is answered.
    const [push] = await audited('Push', 'told')
    assert.deepEqual([push?.Tag, push?.Digest], ['v1', digestOf(manifest)])
    const pulls = async () => (await audited('Pull', 'told')).length
    house.connectToEach()
    await house.toEach((connection) => connection.send('GET', '/v2/told/manifests/v1'))
    assert.equal(await untilTold(pulls, (count) => count === WORKERS), WORKERS)
    await house.toEach((connection) => connection.send('GET', '/v2/told/manifests/v1'))
    await house.causeway.end('SIGTERM')
    await house.startAgain()
    house.connectToEach()
    assert.equal(await pulls(), 2 * WORKERS)
  })
})

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import events from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import tls from 'node:tls'
import { samplesOf } from '../src/metrics/samples-for-tests.ts'
import type { CreatedPrincipal } from '../src/operator/contract.ts'
import { ownerOf } from '../src/workers/upload-owner.ts'
import { type ArmClient, accepted, createArmClient } from './support/arm-client.ts'
import { type Causeway, isRunning, startCauseway } from './support/causeway.ts'
import { fetchOverTls } from './support/https-client.ts'
import { type KeptAnswer, type KeptConnection, keepConnection } from './support/kept-connection.ts'
import {
  adminOf,
  importSample,
  makeGroup,
  makeRegistry,
  type Registry,
  setPublicAccess,
} from './support/private-registry.ts'
import { succeeded } from './support/run.ts'

const WORKERS = 2
const MANIFEST = '/v2/hello-world/manifests/v1'
const CHUNK = 1 << 20
/** Of `{}`. */
const EMPTY = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'

const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

describe('a server with workers', { timeout: 240_000 }, () => {
  let causeway: Causeway
  let arm: ArmClient
  let group: string
  let registry: Registry
  let url: string
  let ca: string
  let admin: { readonly authorization: string }

  before(async () => {
    causeway = await startCauseway({ workers: WORKERS })
    arm = await createArmClient(causeway)
    group = await makeGroup(arm, 'workers')
    registry = await makeRegistry(arm, group, 'workhouse')
    await importSample(arm, registry)
    const { username, password } = await adminOf(arm, registry)
    admin = basic(username, password)
    const { port, authorities } = await causeway.status()
    url = `https://workhouse.localhost:${port}`
    ca = await readFile(authorities.host, 'utf8')
  })
  after(() => causeway?.remove())

  /** A connection of its own for each, in turn to each of the workers. */
  const connect = (headers: Readonly<Record<string, string>> = admin): KeptConnection =>
    keepConnection(url, ca, headers)
  const toEach = <T>(work: (connection: KeptConnection) => Promise<T>): Promise<T[]> =>
    Promise.all(connections.map(work))
  let connections: readonly KeptConnection[] = []
  function connectToEach(headers?: Readonly<Record<string, string>>): void {
    for (const each of connections) each.close()
    connections = Array.from({ length: WORKERS }, () => connect(headers))
  }
  after(() => connectToEach())

  /** One request on a connection that nothing else uses. */
  async function once(...args: Parameters<KeptConnection['send']>): Promise<KeptAnswer> {
    const connection = connect()
    try {
      return await connection.send(...args)
    } finally {
      connection.close()
    }
  }

  const begin = async (repository: string): Promise<string> => {
    const { status, headers } = await once('POST', `/v2/${repository}/blobs/uploads/`)
    assert.equal(status, 202)
    return String(headers.location)
  }
  const idOf = (location: string): string => /uploads\/([0-9a-f-]{36})/.exec(location)?.[1] ?? ''

  async function metrics(): Promise<ReadonlyMap<string, number>> {
    const { urls } = await causeway.status()
    return samplesOf((await fetchOverTls(`${urls.control}metrics`, { ca })).text)
  }

  /** What is told from process to process is told a moment later. */
  async function untilTold<T>(read: () => Promise<T>, isTold: (value: T) => boolean): Promise<T> {
    for (const deadline = Date.now() + 10_000; ; await delay(50)) {
      const value = await read()
      if (isTold(value) || Date.now() > deadline) return value
    }
  }

  interface AuditLine {
    readonly OperationName: string
    readonly Repository?: string
    readonly Tag?: string
    readonly Digest?: string
  }
  async function audited(operation: string, repository: string): Promise<readonly AuditLine[]> {
    const lines = succeeded(await causeway.command(['audit', '--json'])).split('\n')
    return lines
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as AuditLine)
      .filter((line) => line.OperationName === operation && line.Repository === repository)
  }

  async function workers() {
    const { workers: found } = await causeway.status()
    return found
  }

  async function untilReplaced(pid: number): Promise<void> {
    for (const deadline = Date.now() + 20_000; ; await delay(50)) {
      const now = await workers()
      if (now.every((each) => each.state === 'serving' && each.pid !== pid)) return
      assert.ok(Date.now() < deadline, 'the worker was not replaced')
    }
  }

  test('the status names them', async () => {
    const found = await workers()
    assert.deepEqual(
      found.map(({ slot, state, replaced }) => ({ slot, state, replaced })),
      [
        { slot: 0, state: 'serving', replaced: 0 },
        { slot: 1, state: 'serving', replaced: 0 },
      ],
    )
    const pids = new Set([causeway.serverPid(), ...found.map(({ pid }) => pid)])
    assert.equal(pids.size, 3)
  })

  test('an upload is one, whichever worker its parts come to', async () => {
    const bytes = randomBytes(5 * CHUNK + 17)
    const owners = new Set<number>()
    for (let round = 0; round < 4; round++) {
      let location = await begin('parts')
      owners.add(ownerOf(idOf(location), WORKERS))
      for (let start = 0; start < bytes.length; start += CHUNK) {
        const body = bytes.subarray(start, start + CHUNK)
        const range = { 'content-range': `${start}-${start + body.length - 1}` }
        const answer = await once('PATCH', location, { body, headers: range })
        assert.equal(answer.status, 202, answer.text)
        assert.equal(answer.headers.range, `0-${start + body.length - 1}`)
        location = String(answer.headers.location)
      }
      const closed = await once('PUT', `${location}&digest=${digestOf(bytes)}`)
      assert.equal(closed.status, 201, closed.text)
      const again = await once('GET', location)
      assert.equal(again.status, 404)
    }
    assert.equal(owners.size, WORKERS, 'one worker alone began all uploads')
    const { status, body } = await once('GET', `/v2/parts/blobs/${digestOf(bytes)}`)
    assert.equal(status, 200)
    assert.ok(body.equals(bytes))
  })

  test('416: of two requests for the same place in an upload one comes late', async () => {
    for (let round = 0; round < 4; round++) {
      const location = await begin('twice')
      const bodies = [randomBytes(CHUNK), randomBytes(CHUNK)]
      const answers = await Promise.all(bodies.map((body) => once('PATCH', location, { body })))
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), [202, 416])
      const won = bodies[answers.findIndex(({ status }) => status === 202)] ?? Buffer.alloc(0)
      const refused = answers.find(({ status }) => status === 416)
      assert.equal(refused?.headers.range, `0-${CHUNK - 1}`)
      const closed = await once('PUT', `${refused?.headers.location}&digest=${digestOf(won)}`)
      assert.equal(closed.status, 201, closed.text)
    }
  })

  test('404: an upload is nobody else’s, and 401 without credentials, at each worker', async () => {
    const location = await begin('hidden')
    const elsewhere = location.replace('/hidden/', '/other/')
    const stranger = [connect({}), connect({})]
    for (const each of stranger) {
      const { status, headers } = await each.send('GET', location)
      assert.equal(status, 401)
      assert.match(headers['www-authenticate'] ?? '', /realm="https:\/\/workhouse\.localhost:\d+\//)
      each.close()
      assert.equal((await once('GET', elsewhere)).status, 404)
      // Nobody says for himself where he comes from.
      const claimed = JSON.stringify({ via: 'host', address: '127.0.0.1' })
      const told = await once('GET', location, { headers: { 'causeway-origin': claimed } })
      assert.equal(told.status, 204)
    }
  })

  test('a session begun with one worker is resumed with another', async () => {
    const { hostname, port } = new URL(url)
    const handshake = (session?: Buffer): tls.TLSSocket =>
      tls.connect({
        host: '127.0.0.1',
        port: Number(port),
        servername: hostname,
        ca,
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
    const create = ['principal', 'create', 'worker-puller', '--role', 'AcrPull']
    const made = await causeway.command([...create, '--scope', registry.id, '--json'])
    const puller = JSON.parse(succeeded(made)) as CreatedPrincipal
    const service = new URL(url).hostname.replace('localhost', 'azurecr.io')
    const scope = 'repository:hello-world:pull'
    const { text } = await once('GET', `/oauth2/token?service=${service}&scope=${scope}`, {
      headers: basic(puller.appId, puller.secret ?? ''),
    })
    const { access_token: token } = JSON.parse(text) as { access_token: string }
    connectToEach({ authorization: `Bearer ${token}` })
    const statuses = async () =>
      (await toEach((connection) => connection.send('GET', MANIFEST))).map(({ status }) => status)
    assert.deepEqual(await statuses(), [200, 200])

    const assignments = `${registry.id}/providers/Microsoft.Authorization/roleAssignments`
    const { value = [] } = accepted(await arm.get(`${assignments}?$filter=atScope()`))
    const mine = value.find(({ properties }) => properties?.principalId === puller.objectId)
    for (let round = 0; round < 5; round++) {
      accepted(await arm.delete(String(mine?.id)))
      assert.deepEqual(await statuses(), [401, 401], 'a role that was taken away')
      accepted(await arm.put(String(mine?.id), { properties: mine?.properties }))
      assert.deepEqual(await statuses(), [200, 200], 'a role that was given')
      await setPublicAccess(arm, registry, 'Disabled')
      assert.deepEqual(await statuses(), [403, 403], 'public access is off')
      await setPublicAccess(arm, registry, 'Enabled')
      assert.deepEqual(await statuses(), [200, 200], 'public access is on')
    }
    succeeded(await causeway.command(['principal', 'reset', 'worker-puller']))
    assert.deepEqual(await statuses(), [401, 401], 'a token whose secret was replaced')
    assert.deepEqual(
      connections.map((each) => each.connections()),
      [1, 1],
      'all of it was asked on the same connections',
    )
  })

  test('requests are counted once, in whichever worker, and forwarded ones too', async () => {
    const count =
      'causeway_http_request_duration_seconds_count{plane="registry",operation="patch_upload",code="2xx"}'
    const received = 'causeway_http_received_bytes_total{plane="registry"}'
    const before = await metrics()
    const bytes = randomBytes(CHUNK)
    connectToEach()
    let location = await begin('counted')
    for (let round = 0; round < 2 * WORKERS; round++) {
      const connection = connections[round % WORKERS] ?? assert.fail()
      const answer = await connection.send('PATCH', location, { body: bytes })
      assert.equal(answer.status, 202)
      location = String(answer.headers.location)
    }
    await toEach((connection) => connection.send('GET', MANIFEST))
    const now = await untilTold(
      metrics,
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
    connectToEach()
    const uploads = toEach((connection) =>
      connection.send('POST', `/v2/slow/blobs/uploads/?digest=sha256:${'0'.repeat(64)}`, {
        body: slowly(),
      }),
    )
    const during = await untilTold(metrics, (each) => each.get(active) === WORKERS)
    goOn.resolve()
    assert.equal(during.get(active), WORKERS)
    assert.deepEqual(
      (await uploads).map(({ status }) => status),
      [400, 400],
    )
    const after = await untilTold(metrics, (each) => !each.get(active))
    assert.equal(after.get(active) ?? 0, 0)
  })

  test('what is deleted is collected, and can be pushed again', async () => {
    const bytes = randomBytes(CHUNK)
    const digest = digestOf(bytes)
    const file = join(causeway.dataFolder, 'registry', 'blobs', 'sha256', digest.slice(7, 9))
    const isStored = () => existsSync(join(file, digest.slice(7)))
    for (let round = 0; round < 2 * WORKERS; round++) {
      const path = `/v2/again/blobs/uploads/?digest=${digest}`
      const pushed = await once('POST', path, { body: bytes })
      assert.equal(pushed.status, 201, pushed.text)
      assert.ok(isStored())
      const { body } = await once('GET', `/v2/again/blobs/${digest}`)
      assert.ok(body.equals(bytes))
      assert.equal((await once('DELETE', `/v2/again/blobs/${digest}`)).status, 202)
      succeeded(await causeway.command(['gc', '--no-grace']))
      assert.equal(isStored(), false)
      assert.equal((await once('GET', `/v2/again/blobs/${digest}`)).status, 404)
    }
  })

  test('a registry that is deleted takes its uploads along, in every worker', async () => {
    const doomed = await makeRegistry(arm, group, 'doomedhouse')
    const { username, password } = await adminOf(arm, doomed)
    const clients = Array.from({ length: WORKERS }, () =>
      keepConnection(url.replace('workhouse', 'doomedhouse'), ca, basic(username, password)),
    )
    for (const client of clients) {
      const { headers } = await client.send('POST', '/v2/gone/blobs/uploads/')
      const answer = await client.send('PATCH', String(headers.location), { body: 'some bytes' })
      assert.equal(answer.status, 202)
    }
    const uploads = join(causeway.dataFolder, 'registry', 'uploads')
    const before = await readdir(uploads)
    accepted(await arm.delete(doomed.id))
    const gone = before.filter((folder) => !existsSync(join(uploads, folder)))
    assert.equal(gone.length, 1)
    for (const client of clients) {
      await assert.rejects(
        client.send('GET', '/v2/').then(({ status }) => assert.equal(status, 200)),
      )
      client.close()
    }
  })

  test('an upload outlives the worker that it was sent to', async () => {
    const bytes = randomBytes(8 * CHUNK)
    const location = await begin('orphan')
    const owner = (await workers())[ownerOf(idOf(location), WORKERS)]
    assert.ok(owner?.pid)
    const half = await once('PATCH', location, { body: bytes.subarray(0, 2 * CHUNK) })
    assert.equal(half.status, 202)
    async function* slowly() {
      for (let at = 2 * CHUNK; at < bytes.length; at += CHUNK) {
        yield bytes.subarray(at, at + CHUNK)
        if (at >= 4 * CHUNK) process.kill(owner?.pid ?? 0, 'SIGKILL')
      }
    }
    const cut = once('PATCH', String(half.headers.location), { body: slowly() })
    const outcome = await cut.then(({ status }) => status, String)
    assert.notEqual(outcome, 202, 'the worker was killed before it had all')
    // Asked while the worker is being replaced: it waits for the other.
    const { status, headers } = await once('GET', location)
    assert.equal(status, 204)
    const received = Number(headers.range?.slice(2)) + 1
    assert.ok(received >= 2 * CHUNK, `what was acknowledged is there: ${received}`)
    const rest = await once('PATCH', String(headers.location), { body: bytes.subarray(received) })
    assert.equal(rest.status, 202, rest.text)
    const closed = await once('PUT', `${rest.headers.location}&digest=${digestOf(bytes)}`)
    assert.equal(closed.status, 201, closed.text)
    const { body } = await once('GET', `/v2/orphan/blobs/${digestOf(bytes)}`)
    assert.ok(body.equals(bytes))
    await untilReplaced(owner.pid)
  })

  test('killed under load, a worker takes its own requests along and no other', async () => {
    const layer = randomBytes(CHUNK / 4)
    const pushed = await once('POST', `/v2/load/blobs/uploads/?digest=${digestOf(layer)}`, {
      body: layer,
    })
    assert.equal(pushed.status, 201)
    const paths = [MANIFEST, `/v2/load/blobs/${digestOf(layer)}`]
    const clients = Array.from({ length: 8 }, () => connect())
    const failures = clients.map(() => 0)
    let isOver = false
    const load = clients.map(async (client, index) => {
      for (let count = 0; !isOver; count++) {
        try {
          const { status } = await client.send('GET', paths[count % 2] ?? '')
          assert.equal(status, 200)
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error
          failures[index] = (failures[index] ?? 0) + 1
        }
      }
    })
    await delay(500)
    const [first, second] = await workers()
    assert.ok(first?.pid && second?.pid)
    process.kill(first.pid, 'SIGKILL')
    // Whoever comes now is served at once, and what the server itself does is not concerned.
    for (let count = 0; count < 40; count++) assert.equal((await once('GET', MANIFEST)).status, 200)
    accepted(await arm.get(registry.id))
    await untilReplaced(first.pid)
    await delay(500)
    isOver = true
    await Promise.all(load)
    for (const client of clients) client.close()
    const [replacement, other] = await workers()
    assert.equal(other?.pid, second.pid)
    assert.notEqual(replacement?.pid, first.pid)
    // Half of the connections were its own; each was lost once, between two requests or amid one.
    assert.ok(Math.max(...failures) <= 1, `failures of each client: ${failures}`)
    const made = clients.map((client) => client.connections())
    assert.equal(made.filter((count) => count === 1).length, 4, `connections of each: ${made}`)
    for (const [index, count] of failures.entries()) if (count > 0) assert.equal(made[index], 2)
    const log = await readFile(join(causeway.dataFolder, 'logs', 'server.log'), 'utf8')
    const line = `"worker":0,"pid":${first.pid},"how":"SIGKILL","msg":"a worker ended and is replaced"`
    assert.ok(log.includes(line))
  })

  test('what is acknowledged is in effect although a worker hangs: it is ended', async () => {
    const [, hanging] = await workers()
    assert.ok(hanging?.pid)
    connectToEach()
    await toEach((connection) => connection.send('GET', MANIFEST))
    process.kill(hanging.pid, 'SIGSTOP')
    await setPublicAccess(arm, registry, 'Disabled')
    const outcomes = await toEach((connection) =>
      connection.send('GET', MANIFEST).then(({ status }) => status, String),
    )
    assert.ok(outcomes.includes(403) && !outcomes.includes(200), `${outcomes}`)
    assert.equal(isRunning(hanging.pid), false)
    await setPublicAccess(arm, registry, 'Enabled')
    await untilReplaced(hanging.pid)
    connectToEach()
    assert.deepEqual(
      (await toEach((connection) => connection.send('GET', MANIFEST))).map(({ status }) => status),
      [200, 200],
    )
  })

  test('they end with a server that crashes, and its uploads go on with the next ones', async () => {
    const bytes = randomBytes(2 * CHUNK)
    const location = await begin('survivor')
    const half = await once('PATCH', location, { body: bytes.subarray(0, CHUNK) })
    assert.equal(half.status, 202)
    const before = await workers()
    await causeway.end('SIGKILL')
    await causeway.startAgain()
    for (const { pid } of before) assert.equal(isRunning(pid ?? 0), false)
    const { port } = await causeway.status()
    url = `https://workhouse.localhost:${port}`
    const { status, headers } = await once('GET', location)
    assert.equal(status, 204)
    assert.equal(headers.range, `0-${CHUNK - 1}`)
    const digest = digestOf(bytes)
    const closed = await once('PUT', `${headers.location}&digest=${digest}`, {
      body: bytes.subarray(CHUNK),
    })
    assert.equal(closed.status, 201, closed.text)
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
    const layer = await once('POST', `/v2/told/blobs/uploads/?digest=${EMPTY}`, { body: '{}' })
    assert.equal(layer.status, 201, layer.text)
    const pushed = await once('PUT', '/v2/told/manifests/v1', { body: manifest, headers })
    assert.equal(pushed.status, 201, pushed.text)
    // A push is in the trail as soon as it is answered.
    const [push] = await audited('Push', 'told')
    assert.deepEqual([push?.Tag, push?.Digest], ['v1', digestOf(manifest)])
    const pulls = async () => (await audited('Pull', 'told')).length
    connectToEach()
    await toEach((connection) => connection.send('GET', '/v2/told/manifests/v1'))
    assert.equal(await untilTold(pulls, (count) => count === WORKERS), WORKERS)
    await toEach((connection) => connection.send('GET', '/v2/told/manifests/v1'))
    await causeway.end('SIGTERM')
    await causeway.startAgain()
    const { port } = await causeway.status()
    url = `https://workhouse.localhost:${port}`
    connectToEach()
    assert.equal(await pulls(), 2 * WORKERS)
  })
})

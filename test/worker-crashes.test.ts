import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ownerOf } from '../src/workers/upload-owner.ts'
import { accepted } from './support/arm-client.ts'
import { isRunning } from './support/causeway.ts'
import { setPublicAccess } from './support/private-registry.ts'
import {
  CHUNK,
  digestOf,
  idOf,
  MANIFEST,
  openWorkerHouse,
  WORKERS,
  type WorkerHouse,
} from './support/worker-house.ts'

describe('workers that crash', { timeout: 240_000 }, () => {
  let house: WorkerHouse

  before(async () => {
    house = await openWorkerHouse()
  })
  after(() => house?.remove())

  test('an upload outlives the worker that it was sent to', async () => {
    const bytes = randomBytes(8 * CHUNK)
    const location = await house.begin('orphan')
    const owner = (await house.workers())[ownerOf(idOf(location), WORKERS)]
    assert.ok(owner?.pid)
    const half = await house.once('PATCH', location, { body: bytes.subarray(0, 2 * CHUNK) })
    assert.equal(half.status, 202)
    async function* slowly() {
      for (let at = 2 * CHUNK; at < bytes.length; at += CHUNK) {
        yield bytes.subarray(at, at + CHUNK)
        if (at >= 4 * CHUNK) process.kill(owner?.pid ?? 0, 'SIGKILL')
      }
    }
    const cut = house.once('PATCH', String(half.headers.location), { body: slowly() })
    const outcome = await cut.then(({ status }) => status, String)
    assert.notEqual(outcome, 202, 'the worker was killed before it had all')
    // Asked while the worker is being replaced: it waits for the other.
    const { status, headers } = await house.once('GET', location)
    assert.equal(status, 204)
    const received = Number(headers.range?.slice(2)) + 1
    assert.ok(received >= 2 * CHUNK, `what was acknowledged is there: ${received}`)
    const rest = await house.once('PATCH', String(headers.location), {
      body: bytes.subarray(received),
    })
    assert.equal(rest.status, 202, rest.text)
    const closed = await house.once('PUT', `${rest.headers.location}&digest=${digestOf(bytes)}`)
    assert.equal(closed.status, 201, closed.text)
    const { body } = await house.once('GET', `/v2/orphan/blobs/${digestOf(bytes)}`)
    assert.ok(body.equals(bytes))
    await house.untilReplaced(owner.pid)
  })

  test('404: an upload of more than a week ago, which the next worker has removed when it began', async () => {
    const bytes = randomBytes(CHUNK)
    const owner = 1
    const locations: string[] = []
    while (locations.length < 4) {
      const location = await house.begin('left')
      if (ownerOf(idOf(location), WORKERS) !== owner) continue
      const half = await house.once('PATCH', location, { body: bytes })
      locations.push(String(half.headers.location))
    }
    const uploads = join(house.causeway.dataFolder, 'registry', 'uploads')
    const eightDaysAgo = Date.now() / 1000 - 8 * 24 * 60 * 60
    for (const file of await readdir(uploads, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue
      await utimes(join(file.parentPath, file.name), eightDaysAgo, eightDaysAgo)
    }
    const killed = (await house.workers())[1 - owner]?.pid ?? assert.fail()
    process.kill(killed, 'SIGKILL')
    await house.untilReplaced(killed)
    const [asked = '', continued = '', ended = '', cancelled = ''] = locations
    for (const answer of [
      await house.once('GET', asked),
      await house.once('PATCH', continued, { body: bytes }),
      await house.once('PUT', `${ended}&digest=${digestOf(bytes)}`),
      await house.once('DELETE', cancelled),
    ]) {
      assert.equal(answer.status, 404, answer.text)
      assert.match(answer.text, /BLOB_UPLOAD_UNKNOWN/)
    }
  })

  test('killed under load, a worker takes its own requests along and no other', async () => {
    const layer = randomBytes(CHUNK / 4)
    const pushed = await house.once('POST', `/v2/load/blobs/uploads/?digest=${digestOf(layer)}`, {
      body: layer,
    })
    assert.equal(pushed.status, 201)
    const paths = [MANIFEST, `/v2/load/blobs/${digestOf(layer)}`]
    const clients = Array.from({ length: 8 }, () => house.connect())
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
    const [first, second] = await house.workers()
    assert.ok(first?.pid && second?.pid)
    process.kill(first.pid, 'SIGKILL')
    // Whoever comes now is served at once, and what the server itself does is not concerned.
    for (let count = 0; count < 40; count++)
      assert.equal((await house.once('GET', MANIFEST)).status, 200)
    accepted(await house.arm.get(house.registry.id))
    await house.untilReplaced(first.pid)
    await delay(500)
    isOver = true
    await Promise.all(load)
    for (const client of clients) client.close()
    const [replacement, other] = await house.workers()
    assert.equal(other?.pid, second.pid)
    assert.notEqual(replacement?.pid, first.pid)
    // Half of the connections were its own; each was lost once, between two requests or amid one.
    assert.ok(Math.max(...failures) <= 1, `failures of each client: ${failures}`)
    const made = clients.map((client) => client.connections())
    assert.equal(made.filter((count) => count === 1).length, 4, `connections of each: ${made}`)
    for (const [index, count] of failures.entries()) if (count > 0) assert.equal(made[index], 2)
    const log = await readFile(join(house.causeway.dataFolder, 'logs', 'server.log'), 'utf8')
    const line = `"worker":0,"pid":${first.pid},"how":"SIGKILL","msg":"a worker ended and is replaced"`
    assert.ok(log.includes(line))
  })

  test('what is acknowledged is in effect although a worker hangs: it is ended', async () => {
    const [, hanging] = await house.workers()
    assert.ok(hanging?.pid)
    house.connectToEach()
    await house.toEach((connection) => connection.send('GET', MANIFEST))
    process.kill(hanging.pid, 'SIGSTOP')
    await setPublicAccess(house.arm, house.registry, 'Disabled')
    const outcomes = await house.toEach((connection) =>
      connection.send('GET', MANIFEST).then(({ status }) => status, String),
    )
    assert.ok(outcomes.includes(403) && !outcomes.includes(200), `${outcomes}`)
    assert.equal(isRunning(hanging.pid), false)
    await setPublicAccess(house.arm, house.registry, 'Enabled')
    await house.untilReplaced(hanging.pid)
    house.connectToEach()
    assert.deepEqual(
      (await house.toEach((connection) => connection.send('GET', MANIFEST))).map(
        ({ status }) => status,
      ),
      [200, 200],
    )
  })

  test('they end with a server that crashes, and its uploads go on with the next ones', async () => {
    const bytes = randomBytes(2 * CHUNK)
    const location = await house.begin('survivor')
    const half = await house.once('PATCH', location, { body: bytes.subarray(0, CHUNK) })
    assert.equal(half.status, 202)
    const before = await house.workers()
    await house.causeway.end('SIGKILL')
    await house.startAgain()
    for (const { pid } of before) assert.equal(isRunning(pid ?? 0), false)
    const { status, headers } = await house.once('GET', location)
    assert.equal(status, 204)
    assert.equal(headers.range, `0-${CHUNK - 1}`)
    const digest = digestOf(bytes)
    const closed = await house.once('PUT', `${headers.location}&digest=${digest}`, {
      body: bytes.subarray(CHUNK),
    })
    assert.equal(closed.status, 201, closed.text)
  })
})

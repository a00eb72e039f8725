import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ownerOf } from '../src/workers/upload-owner.ts'
import { accepted } from './support/arm-client.ts'
import { keepConnection } from './support/kept-connection.ts'
import { adminOf, makeRegistry } from './support/private-registry.ts'
import {
  basic,
  CHUNK,
  digestOf,
  idOf,
  openWorkerHouse,
  WORKERS,
  type WorkerHouse,
} from './support/worker-house.ts'

const ROUNDS = 40

/** In pieces, the end of which the server learns last. */
async function* inPieces(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += PIECE) {
    yield bytes.subarray(at, at + PIECE)
    await delay(1)
  }
}
const PIECE = 64 << 10
const whole = (bytes: Buffer) => bytes
const RACES = [
  ['small', 17, whole],
  ['of a megabyte', CHUNK, whole],
  ['of four', 4 * CHUNK, whole],
  ['in pieces', CHUNK, inPieces],
] as const

describe('uploads to a server with workers', { timeout: 240_000 }, () => {
  let house: WorkerHouse

  before(async () => {
    house = await openWorkerHouse()
  })
  after(() => house?.remove())

  test('an upload is one, whichever worker its parts come to', async () => {
    const bytes = randomBytes(5 * CHUNK + 17)
    const owners = new Set<number>()
    for (let round = 0; round < 4; round++) {
      let location = await house.begin('parts')
      owners.add(ownerOf(idOf(location), WORKERS))
      for (let start = 0; start < bytes.length; start += CHUNK) {
        const body = bytes.subarray(start, start + CHUNK)
        const range = { 'content-range': `${start}-${start + body.length - 1}` }
        const answer = await house.once('PATCH', location, { body, headers: range })
        assert.equal(answer.status, 202, answer.text)
        assert.equal(answer.headers.range, `0-${start + body.length - 1}`)
        location = String(answer.headers.location)
      }
      const closed = await house.once('PUT', `${location}&digest=${digestOf(bytes)}`)
      assert.equal(closed.status, 201, closed.text)
      const again = await house.once('GET', location)
      assert.equal(again.status, 404)
    }
    assert.equal(owners.size, WORKERS, 'one worker alone began all uploads')
    const { status, body } = await house.once('GET', `/v2/parts/blobs/${digestOf(bytes)}`)
    assert.equal(status, 200)
    assert.ok(body.equals(bytes))
  })

  for (const [what, size, send] of RACES) {
    test(`416: of two clients at two workers with the same chunk, ${what}, one comes late`, async () => {
      house.connectToEach()
      const connections = house.connections()
      const owners = new Set<number>()
      for (let round = 0; round < ROUNDS; round++) {
        const [one, other] = [connections[round % WORKERS], connections[(round + 1) % WORKERS]]
        const begun = await one?.send('POST', '/v2/twice/blobs/uploads/')
        const location = String(begun?.headers.location)
        owners.add(ownerOf(idOf(location), WORKERS))
        const bodies = [randomBytes(size), randomBytes(size)]
        const answers = await Promise.all(
          connections.map((connection, index) =>
            connection.send('PATCH', location, { body: send(bodies[index] ?? assert.fail()) }),
          ),
        )
        const statuses = answers.map(({ status }) => status)
        assert.deepEqual(statuses.toSorted(), [202, 416])
        const won = bodies[statuses.indexOf(202)] ?? assert.fail()
        const refused = answers[statuses.indexOf(416)]
        assert.equal(refused?.headers.range, `0-${size - 1}`)
        assert.match(refused.text, /BLOB_UPLOAD_INVALID/)
        const last = `${refused.headers.location}&digest=${digestOf(won)}`
        const closed = await other?.send('PUT', last)
        assert.equal(closed?.status, 201)
      }
      assert.equal(owners.size, WORKERS, 'one worker alone had all uploads')
    })
  }

  test('404: an upload is nobody else’s, and 401 without credentials, at each worker', async () => {
    const location = await house.begin('hidden')
    const elsewhere = location.replace('/hidden/', '/other/')
    const stranger = [house.connect({}), house.connect({})]
    for (const each of stranger) {
      const { status, headers } = await each.send('GET', location)
      assert.equal(status, 401)
      assert.match(headers['www-authenticate'] ?? '', /realm="https:\/\/workhouse\.localhost:\d+\//)
      each.close()
      assert.equal((await house.once('GET', elsewhere)).status, 404)
      // Nobody says for himself where he comes from.
      const claimed = JSON.stringify({ via: 'host', address: '127.0.0.1' })
      const told = await house.once('GET', location, { headers: { 'causeway-origin': claimed } })
      assert.equal(told.status, 204)
    }
  })

  test('a registry that is deleted takes its uploads along, in every worker', async () => {
    const doomed = await makeRegistry(house.arm, house.group, 'doomedhouse')
    const { username, password } = await adminOf(house.arm, doomed)
    const clients = Array.from({ length: WORKERS }, () =>
      keepConnection(house.url(doomed.name), house.ca, basic(username, password)),
    )
    for (const client of clients) {
      const { headers } = await client.send('POST', '/v2/gone/blobs/uploads/')
      const answer = await client.send('PATCH', String(headers.location), { body: 'some bytes' })
      assert.equal(answer.status, 202)
    }
    const uploads = join(house.causeway.dataFolder, 'registry', 'uploads')
    const before = await readdir(uploads)
    accepted(await house.arm.delete(doomed.id))
    const gone = before.filter((folder) => !existsSync(join(uploads, folder)))
    assert.equal(gone.length, 1)
    for (const client of clients) {
      await assert.rejects(
        client.send('GET', '/v2/').then(({ status }) => assert.equal(status, 200)),
      )
      client.close()
    }
  })
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { endAnswer } from '../lib/end-answer.ts'
import { setOrigin } from '../lib/origin.ts'
import { openPeers } from './peers.ts'

const log = pino({ level: 'silent' })
const OWNER = 1

/** A worker that forwards whatever comes to it to another one, which `handle`s it. */
async function forwardTo(t: TestContext, handle: http.RequestListener) {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-peers-'))
  const owner = await openPeers({ folder, slot: OWNER, handle, log })
  const own = await openPeers({ folder, slot: 0, handle: () => {}, log })
  const front = http.createServer((request, response) => {
    setOrigin(request, { via: 'host', address: '127.0.0.1' })
    own.forward(request, response, OWNER)
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  t.after(async () => {
    agent.destroy()
    front.closeAllConnections()
    front.close()
    await Promise.all([own.close(), owner.close()])
    await rm(folder, { recursive: true })
  })
  const { port } = front.address() as AddressInfo
  return (body: Buffer) =>
    new Promise<{ status: number | undefined; text: string; isReused: boolean }>(
      (resolve, reject) => {
        const request = http.request(
          { port, host: '127.0.0.1', method: 'PATCH', agent },
          (answer) => {
            text(answer).then(
              (told) =>
                resolve({ status: answer.statusCode, text: told, isReused: request.reusedSocket }),
              reject,
            )
          },
        )
        request.once('error', reject)
        request.end(body)
      },
    )
}

for (const bytes of [17, 1 << 20]) {
  test(`an answer that does not wait for a body of ${bytes} comes, and so does the next on this connection`, {
    timeout: 20_000,
  }, async (t) => {
    const send = await forwardTo(t, (_request, response) => {
      response.writeHead(416, { 'content-length': 4 })
      endAnswer(response, 'late')
    })
    for (let round = 0; round < 20; round++) {
      const answer = await send(randomBytes(bytes))
      assert.deepEqual(answer, { status: 416, text: 'late', isReused: round > 0 })
    }
  })
}

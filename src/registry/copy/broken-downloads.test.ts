import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { OCI_MANIFEST } from '../manifests/manifest.ts'
import { assertNothingLeft, failsAs, startImport } from '../testing/import-fixture.ts'
import { type Fixture, pushBlob, pushImage } from '../testing/registry-fixture.ts'

const LAYER = randomBytes(3 << 20)
const DIGEST = digestOf(LAYER)

/** An image of one layer that is large enough to break in the middle. */
async function pushLarge(source: Fixture): Promise<void> {
  const config = Buffer.from('{}')
  await pushBlob(source, 'team/app', config)
  await pushBlob(source, 'team/app', LAYER)
  const part = (bytes: Buffer, mediaType: string) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  })
  await source.send('PUT', '/v2/team/app/manifests/v1', {
    headers: { 'content-type': OCI_MANIFEST },
    body: JSON.stringify({
      schemaVersion: 2,
      config: part(config, 'application/vnd.oci.image.config.v1+json'),
      layers: [part(LAYER, 'application/vnd.oci.image.layer.v1.tar')],
    }),
  })
}

/** Sends some of a layer, from where it is asked for, and breaks the connection. */
function breakOff({ headers }: IncomingMessage, response: ServerResponse, bytes: number): void {
  const start = Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0)
  const head =
    start > 0
      ? { 'content-range': `bytes ${start}-${LAYER.length - 1}/${LAYER.length}` }
      : undefined
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': LAYER.length - start, ...head })
  response.write(LAYER.subarray(start, start + bytes), () => response.destroy())
}

const isLayer = ({ url, headers }: IncomingMessage) =>
  url?.includes(DIGEST) === true && headers.authorization !== undefined

test('a layer that breaks off goes on where it broke', async (t) => {
  let breaks = 2
  const { source, target, open, copy, asked } = await startImport(t, (request, response) => {
    if (!isLayer(request) || breaks === 0) return false
    breaks -= 1
    breakOff(request, response, 1 << 20)
    return true
  })
  await pushLarge(source)
  open()
  await copy()
  const starts = asked(DIGEST).map(({ headers }) => headers.range)
  assert.equal(starts.length, 3)
  assert.equal(starts[0], undefined)
  const [second = 0, third = 0] = starts.slice(1).map((range) => Number(range?.match(/\d+/)))
  // What was on its way when the connection broke may be lost; what arrived is not asked for again.
  assert.ok(second > 0 && third > second && third <= 2 << 20, `${starts}`)
  const blob = await target.send('GET', `/v2/app/blobs/${DIGEST}`)
  assert.equal(digestOf(blob.body), DIGEST)
})

test('a source that sends all of it where a part was asked for is understood', async (t) => {
  let breaks = 1
  const { source, target, open, copy, asked } = await startImport(t, (request, response) => {
    if (!isLayer(request)) return false
    if (breaks > 0) {
      breaks -= 1
      breakOff(request, response, 1 << 20)
    } else response.writeHead(200, { 'content-length': LAYER.length }).end(LAYER)
    return true
  })
  await pushLarge(source)
  open()
  await copy()
  assert.match(asked(DIGEST)[1]?.headers.range ?? '', /^bytes=[1-9]/)
  const blob = await target.send('GET', `/v2/app/blobs/${DIGEST}`)
  assert.equal(digestOf(blob.body), DIGEST)
})

test('a layer that breaks off again and again is given up, and leaves nothing', async (t) => {
  const { source, target, open, copy, asked } = await startImport(t, (request, response) => {
    if (!isLayer(request)) return false
    breakOff(request, response, 1000)
    return true
  })
  await pushLarge(source)
  open()
  await assert.rejects(copy(), failsAs('source-unreachable'))
  assert.equal(asked(DIGEST).length, 4)
  await assertNothingLeft(target)
})

for (const [status, headers] of [
  [503, {}],
  [429, { 'retry-after': '0' }],
] as const) {
  test(`a source that answers ${status} for a moment is asked again`, async (t) => {
    const refusals = new Map([
      ['/manifests/', 2],
      ['/blobs/', 2],
    ])
    const { source, target, open, copy } = await startImport(t, (request, response) => {
      const { url, headers: sent } = request
      const part = url?.includes('/blobs/') ? '/blobs/' : '/manifests/'
      const left = refusals.get(part) ?? 0
      if (!sent.authorization || !url?.includes(part) || left === 0) return false
      refusals.set(part, left - 1)
      response.writeHead(status, headers).end()
      return true
    })
    await pushImage(source, 'team/app', 'v1')
    open()
    await copy()
    assert.equal((await target.send('GET', '/v2/app/manifests/v1')).status, 200)
  })
}

test('a source that wants to be left alone for long is not waited for', async (t) => {
  const { source, open, copy, asked } = await startImport(t, (request, response) => {
    if (!request.headers.authorization || !request.url?.includes('/manifests/')) return false
    response.writeHead(429, { 'retry-after': '3600' }).end()
    return true
  })
  await pushImage(source, 'team/app', 'v1')
  open()
  await assert.rejects(copy(), failsAs('source-throttled'))
  assert.equal(asked('/manifests/').filter((each) => each.headers.authorization).length, 1)
})

test('a source that is not reached is not tried again: a delay would tell what is there', async (t) => {
  const { copy, events } = await startImport(t)
  for (const host of ['127.0.0.1:1', '10.0.0.1', 'absent.test']) {
    const before = events.length
    await assert.rejects(copy({ from: { host } }), failsAs('source-unreachable'))
    assert.equal(events.length - before, 1)
  }
})

test('four imports run at a time, the others wait and tell so', async (t) => {
  const held: (() => void)[] = []
  let isHolding = true
  const { source, target, open, copy } = await startImport(t, (request, response) => {
    if (!request.headers.authorization || !request.url?.includes('/manifests/')) return false
    if (!isHolding) return false
    held.push(() => response.destroy())
    return true
  })
  await pushImage(source, 'team/app', 'v1')
  open()
  const stop = new AbortController()
  const copies = Array.from({ length: 6 }, (_, n) =>
    copy({ targetTags: [`app${n}:v1`] }, stop.signal).catch((error: Error) => error.message),
  )
  const states = () => target.plane.runningImports().map(({ state }) => state)
  for (let looks = 0; held.length < 4; looks++) {
    assert.ok(looks < 100_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.deepEqual(states().toSorted(), [
    ...['running', 'running', 'running', 'running'],
    ...['waiting', 'waiting'],
  ])
  isHolding = false
  stop.abort(new Error('enough'))
  assert.deepEqual(await Promise.all(copies), Array(6).fill('enough'))
  assert.deepEqual(states(), [])
  for (const letGo of held) letGo()
})

test('an import tells how far it is', async (t) => {
  const { source, target, open, copy } = await startImport(t)
  await pushLarge(source)
  open()
  await copy()
  const told = (target.logged as [Record<string, unknown>, string][]).filter(([, message]) =>
    message.startsWith('import'),
  )
  assert.deepEqual(
    told.map(([, message]) => message),
    ['import begun', 'import goes on', 'import goes on', 'import done'],
  )
  const [end] = told.at(-1) ?? []
  const bytes = LAYER.length + 2
  assert.deepEqual(
    [end?.blobs, end?.bytes],
    [
      { done: 2, of: 2 },
      { done: bytes, of: bytes },
    ],
  )
})

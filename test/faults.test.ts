import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, before, describe, type TestContext, test } from 'node:test'
import { type Digest, digestOf } from '../src/lib/digest.ts'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import {
  DISK_CALLS,
  type DiskFault,
  type Disturbance,
  diskThreads,
  withFaultyDisk,
} from './support/crash/faulty-disk.ts'
import { fetchBytes, type HttpAnswer } from './support/https-client.ts'
import { needs } from './support/needs.ts'
import { adminOf, makeGroup, makeRegistry } from './support/private-registry.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const FAULTS: readonly DiskFault[] = ['full', 'broken', 'killed']
/** Every fault at every call, rather than the faults in turns. */
const ALL = process.env.CAUSEWAY_FAULTS === 'all'
/** A push makes far fewer. */
const CALLS_MAX = 100

/** What a client pushes, and what it was told of it. */
interface Push {
  readonly tag: string
  readonly blobs: ReadonlyMap<Digest, Buffer>
  readonly manifest: string
  readonly acknowledged: ReadonlySet<string>
  /** The answer that ended it; undefined where the server went away. */
  readonly last: HttpAnswer | undefined
}

describe('a push while the disk fails at one of its calls', {
  ...needs('root', 'strace'),
  timeout: ALL ? 1_800_000 : 400_000,
}, () => {
  const pushes: Push[] = []
  let causeway: Causeway
  let authorization: string
  let ca: string
  let base: string
  let pushed = 0
  let turn = 0
  // One thread of one process writes all files, so that its calls have an order.
  const threads = process.env.UV_THREADPOOL_SIZE

  before(async () => {
    process.env.UV_THREADPOOL_SIZE = '1'
    causeway = await startCauseway({ workers: 1 })
    const arm = await createArmClient(causeway)
    const registry = await makeRegistry(arm, await makeGroup(arm, 'faults'), 'frail')
    const admin = await adminOf(arm, registry)
    authorization = `Basic ${Buffer.from(`${admin.username}:${admin.password}`).toString('base64')}`
    ca = await readFile((await causeway.status()).authorities.host, 'utf8')
    await findPort()
  })
  after(async () => {
    if (threads === undefined) delete process.env.UV_THREADPOOL_SIZE
    else process.env.UV_THREADPOOL_SIZE = threads
    await causeway?.remove()
  })

  async function findPort(): Promise<void> {
    base = `https://frail.localhost:${(await causeway.status()).port}`
  }

  const send = (
    method: string,
    path: string,
    body?: Buffer | string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<HttpAnswer & { readonly content: Buffer }> =>
    fetchBytes(new URL(path, base).href, {
      method,
      ca,
      headers: { authorization, ...headers },
      address: '127.0.0.1',
      ...(body !== undefined && { body }),
    })

  /** A layer in two chunks, a config at once, the manifest; ends at the first refusal, as clients do. */
  async function push(known?: Push): Promise<Push> {
    const [layer = randomBytes(200_000), config = Buffer.from(`{"os":"linux","n":${++pushed}}`)] =
      known?.blobs.values() ?? []
    const [layerDigest, configDigest] = [digestOf(layer), digestOf(config)]
    const tag = known?.tag ?? `t${pushed}`
    const descriptor = (bytes: Buffer, mediaType: string) => ({
      ...{ mediaType, digest: digestOf(bytes), size: bytes.length },
    })
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: descriptor(config, 'application/vnd.oci.image.config.v1+json'),
      layers: [descriptor(layer, 'application/vnd.oci.image.layer.v1.tar')],
    })
    const uploads = '/v2/app/blobs/uploads/'
    const steps: readonly [string | undefined, (location: string) => Promise<HttpAnswer>][] = [
      [undefined, () => send('POST', uploads, '')],
      [undefined, (location) => send('PATCH', location, layer.subarray(0, 100_000))],
      [layerDigest, (location) => putEnd(location, layerDigest, layer.subarray(100_000))],
      [configDigest, () => send('POST', `${uploads}?digest=${configDigest}`, config)],
      [tag, () => send('PUT', `/v2/app/manifests/${tag}`, manifest, { 'content-type': MANIFEST })],
    ]
    const acknowledged = new Set<string>()
    let last: HttpAnswer | undefined
    for (const [what, step] of steps) {
      last = await step(String(last?.headers.location)).catch(() => undefined)
      if (!last || last.status >= 300) break
      if (what) acknowledged.add(what)
    }
    const blobs = new Map([
      [layerDigest, layer],
      [configDigest, config],
    ])
    return { tag, blobs, manifest, acknowledged, last }
  }

  const putEnd = (location: string, digest: Digest, rest: Buffer) =>
    send('PUT', `${location}&digest=${digest}`, rest)

  /** What was acknowledged is there, whole; what was refused is not to be seen. */
  async function checkSeen({ tag, blobs, manifest, acknowledged, last }: Push): Promise<void> {
    for (const [digest, bytes] of blobs) {
      const answer = await send('GET', `/v2/app/blobs/${digest}`)
      // Who is cut off does not know: then there is all of it or nothing.
      if (acknowledged.has(digest) || (!last && answer.status === 200)) {
        assert.equal(answer.status, 200, digest)
        assert.ok(answer.content.equals(bytes), digest)
      } else {
        assert.equal(answer.status, 404, answer.text)
      }
    }
    const { status, text } = await send('GET', `/v2/app/manifests/${tag}`)
    if (acknowledged.has(tag) || (!last && status === 200)) assert.equal(text, manifest)
    else assert.equal(status, 404, text)
  }

  function checkRefusal({ last }: Push, disturbance: Disturbance): void {
    if (!last || last.status === 201) return
    const [status, code] = isKnownAsFull(disturbance) ? [507, 'STORAGE_FULL'] : [500, 'UNKNOWN']
    assert.equal(last.status, status, last.text)
    const { errors } = JSON.parse(last.text) as { errors: { code: string; message: string }[] }
    assert.equal(errors[0]?.code, code)
    assert.doesNotMatch(last.text, /ENOSPC|EIO|SQLITE|\bat /)
  }

  // Of a sync that fails SQLite tells no more than that it did: https://www.sqlite.org/rescode.html#ioerr_fsync
  const isKnownAsFull = ({ fault, name, thread }: Disturbance): boolean =>
    fault === 'full' && !(thread === 'database' && /sync$/.test(name))

  /** Returns whether the push came as far as the call. */
  async function tryFault(disturbance: Disturbance): Promise<boolean> {
    const [worker] = (await causeway.status()).workers
    const threads = await diskThreads(causeway.serverPid(), worker?.pid ?? assert.fail())
    const { result, wasTold } = await withFaultyDisk(threads, disturbance, () => push())
    const wasKilled = result.last === undefined
    if (wasKilled) {
      assert.equal(disturbance.fault, 'killed', 'the server went away')
      if (disturbance.thread === 'database') await startAgain()
    }
    checkRefusal(result, disturbance)
    await checkSeen(result)
    const again = await push(result)
    assert.equal(again.last?.status, 201, `the next push: ${again.last?.text}`)
    await checkSeen(again)
    pushes.push(again)
    return wasTold || wasKilled
  }

  async function startAgain(): Promise<void> {
    await causeway.ended()
    await causeway.startAgain()
    await findPort()
  }

  /** Each call of this name in turn until a push needs no more of them; returns how many it needed. */
  async function tryEach(
    t: TestContext,
    thread: Disturbance['thread'],
    name: Disturbance['name'],
  ): Promise<number> {
    for (let call = 1; call < CALLS_MAX; call++) {
      let wasReached = false
      for (const fault of ALL ? FAULTS : [FAULTS[turn++ % FAULTS.length] ?? 'full']) {
        await t.test(`${fault} at ${name} ${call}`, async () => {
          if (await tryFault({ fault, thread, name, call })) wasReached = true
        })
      }
      if (!wasReached) return call - 1
    }
    return CALLS_MAX
  }

  for (const [thread, what] of [
    ['files', 'a blob'],
    ['database', 'the database'],
  ] as const) {
    test(`of ${what}: nothing acknowledged is lost, nothing refused is seen, the next push works`, async (t) => {
      pushes.push(await push())
      let calls = 0
      for (const name of DISK_CALLS) calls += await tryEach(t, thread, name)
      t.diagnostic(`${calls} calls of a push`)
      assert.ok(calls > 5, 'the faults have reached next to nothing')
    })
  }

  test('and all of it is there after a restart', async () => {
    await causeway.end('SIGTERM')
    await causeway.startAgain()
    await findPort()
    for (const each of pushes) await checkSeen(each)
  })
})

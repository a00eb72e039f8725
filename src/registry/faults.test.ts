import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Digest, digestOf } from '../lib/digest.ts'
import {
  createFaultyBlobStore,
  type FaultKind,
  type FaultyBlobStore,
} from '../storage/testing/faulty-blob-store.ts'
import { OCI_MANIFEST } from './manifests/manifest.ts'
import { type Answer, type Fixture, startRegistry } from './testing/registry-fixture.ts'

const REPOSITORY = 'team/app'
const LAYER = Buffer.alloc(300_000, 'layer')
const CONFIG = Buffer.from(JSON.stringify({ architecture: 'arm64', os: 'linux' }))
const [LAYER_DIGEST, CONFIG_DIGEST] = [digestOf(LAYER), digestOf(CONFIG)]
const MANIFEST = JSON.stringify({
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config: {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: CONFIG_DIGEST,
    size: CONFIG.length,
  },
  layers: [
    {
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: LAYER_DIGEST,
      size: LAYER.length,
    },
  ],
})

/** What a client knows after a push that may have been broken off. */
interface Push {
  readonly acknowledged: ReadonlySet<string>
  /** The answer that ended it. */
  readonly last: Answer
}

async function startFaulty(t: TestContext) {
  let store: FaultyBlobStore | undefined
  const registry = await startRegistry(t, undefined, undefined, (blobs) => {
    store = createFaultyBlobStore(blobs)
    return store
  })
  return {
    registry,
    /** Of the registry that was started last. */
    store: (): FaultyBlobStore => {
      assert.ok(store)
      return store
    },
  }
}

/** The layer in two chunks, the config at once, the manifest by a tag; ends at the first refusal, as clients do. */
async function push(registry: Fixture): Promise<Push> {
  const acknowledged = new Set<string>()
  const steps: readonly [what: string | undefined, send: (before: Answer) => Promise<Answer>][] = [
    [undefined, () => registry.send('POST', `/v2/${REPOSITORY}/blobs/uploads/`)],
    [undefined, (before) => registry.send('PATCH', at(before), { body: LAYER.subarray(0, 1000) })],
    [undefined, (before) => registry.send('PATCH', at(before), { body: LAYER.subarray(1000) })],
    [LAYER_DIGEST, (before) => registry.send('PUT', `${at(before)}&digest=${LAYER_DIGEST}`)],
    [CONFIG_DIGEST, () => sendConfig(registry)],
    ['tag', () => sendManifest(registry)],
  ]
  let last: Answer | undefined
  for (const [what, send] of steps) {
    last = await send(last as Answer)
    if (last.status >= 300) break
    if (what) acknowledged.add(what)
  }
  return { acknowledged, last: last as Answer }
}

const at = ({ headers }: Answer): string => String(headers.location)

const sendConfig = (registry: Fixture) =>
  registry.send('POST', `/v2/${REPOSITORY}/blobs/uploads/?digest=${CONFIG_DIGEST}`, {
    body: CONFIG,
  })

const sendManifest = (registry: Fixture) =>
  registry.send('PUT', `/v2/${REPOSITORY}/manifests/latest`, {
    body: MANIFEST,
    headers: { 'content-type': OCI_MANIFEST },
  })

const pullBlob = (registry: Fixture, digest: Digest) =>
  registry.send('GET', `/v2/${REPOSITORY}/blobs/${digest}`)

/** What was acknowledged is there, whole; what was not is not to be seen. */
async function checkSeen(registry: Fixture, acknowledged: ReadonlySet<string>): Promise<void> {
  for (const [digest, bytes] of [
    [LAYER_DIGEST, LAYER],
    [CONFIG_DIGEST, CONFIG],
  ] as const) {
    const answer = await pullBlob(registry, digest)
    if (acknowledged.has(digest)) assert.ok(answer.body.equals(bytes), digest)
    else assert.equal(answer.code, 'BLOB_UNKNOWN')
  }
  const manifest = await registry.send('GET', `/v2/${REPOSITORY}/manifests/latest`)
  assert.equal(manifest.status, acknowledged.has('tag') ? 200 : 404)
}

async function checkWhole(registry: Fixture): Promise<void> {
  const { acknowledged, last } = await push(registry)
  assert.equal(last.status, 201)
  await checkSeen(registry, acknowledged)
  const path = `/acr/v1/${encodeURIComponent(REPOSITORY)}/_manifests/${digestOf(Buffer.from(MANIFEST))}`
  const { manifest } = (await registry.send('GET', path)).json()
  assert.equal((manifest as { architecture?: string }).architecture, 'arm64')
}

/** What the client is told when a step of its push goes wrong; `undefined` is nothing, for it went on. */
const TOLD: Readonly<Record<Exclude<FaultKind, 'slow'>, readonly [number, string]>> = {
  full: [507, 'STORAGE_FULL'],
  broken: [500, 'UNKNOWN'],
  short: [500, 'UNKNOWN'],
  crash: [500, 'UNKNOWN'],
}

/** Every step of a push that nothing disturbs. */
async function stepsOfPush(t: TestContext): Promise<readonly string[]> {
  const { registry, store } = await startFaulty(t)
  store().arm()
  await checkWhole(registry)
  return store().steps.slice(0, store().steps.lastIndexOf('commit') + 3)
}

for (const [kind, [status, code]] of Object.entries(TOLD) as [
  Exclude<FaultKind, 'slow'>,
  readonly [number, string],
][]) {
  test(`a push of which one step is '${kind}' loses nothing that was acknowledged, and the next one works`, async (t) => {
    const steps = await stepsOfPush(t)
    assert.ok(steps.length >= 9, `${steps}`)
    for (const [index, name] of steps.entries()) {
      await t.test(`${index + 1}: ${name}`, async (t) => {
        const { registry, store } = await startFaulty(t)
        store().arm({ kind, step: index + 1 })
        const { acknowledged, last } = await push(registry)
        if (last.status !== 201) {
          assert.deepEqual([last.status, last.code], [status, code])
          assert.doesNotMatch(last.body.toString(), /\bat |\.ts|EIO|Crashed/)
        }
        const survivor = kind === 'crash' ? await registry.restart() : registry
        store().arm()
        await checkSeen(survivor, acknowledged)
        await checkWhole(survivor)
      })
    }
  })
}

test('a read that fails once breaks no pull: what is whole when it is read again is sent on', async (t) => {
  const { registry, store } = await startFaulty(t)
  await push(registry)
  for (const step of [1, 2]) {
    store().arm({ kind: 'broken', step })
    assert.ok((await pullBlob(registry, LAYER_DIGEST)).body.equals(LAYER))
    // The fault, and then the bytes once for their digest and once for the client.
    const { steps } = store()
    assert.ok(steps.length >= 5, `${steps}`)
    assert.ok((await pullBlob(registry, LAYER_DIGEST)).body.equals(LAYER))
  }
})

test('reads that give less than was asked for give everything in the end', async (t) => {
  const { registry, store } = await startFaulty(t)
  await push(registry)
  for (const step of [2, 3]) {
    store().arm({ kind: 'short', step })
    assert.ok((await pullBlob(registry, LAYER_DIGEST)).body.equals(LAYER))
  }
})

test('a slow disk under one push holds up nobody else', async (t) => {
  const { registry, store } = await startFaulty(t)
  await sendConfig(registry)
  const begun = await registry.send('POST', `/v2/${REPOSITORY}/blobs/uploads/`)
  store().arm({ kind: 'slow', step: 2 })
  const slow = registry.send('PUT', `${at(begun)}&digest=${LAYER_DIGEST}`, { body: LAYER })
  await store().stalled
  const other = Buffer.from('another layer')
  const path = `/v2/other/app/blobs/uploads/?digest=${digestOf(other)}`
  assert.equal((await registry.send('POST', path, { body: other })).status, 201)
  assert.ok((await pullBlob(registry, CONFIG_DIGEST)).body.equals(CONFIG))
  store().release()
  assert.equal((await slow).status, 201)
  assert.ok((await pullBlob(registry, LAYER_DIGEST)).body.equals(LAYER))
})

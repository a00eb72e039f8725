import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Digest } from '../../lib/digest.ts'
import { OCI_MANIFEST } from '../manifests/manifest.ts'
import { type Artifact, createArtifact, type Fields } from '../testing/artifacts.ts'
import { closing, EMPTY, MISSING, nameSource } from '../testing/oci-content.ts'
import { startRegistry } from '../testing/registry-fixture.ts'
import { createTokenClient } from '../testing/token-client.ts'

// What the specification has for every kind of content, in the order in which a client goes about it: push, list, check,
// pull, refer, delete; with a token for each request, as the challenge asks for it.
const registry = await startRegistry({ after })
const send = createTokenClient(registry)
const freshName = nameSource()

const KINDS: Readonly<Record<string, (make: ReturnType<typeof createArtifact>) => void>> = {
  'an image': ({ image }) => image('a'),
  'an image with a manifest of nearly 4 MiB': ({ image }) => {
    const texts = Array.from({ length: 390 }, (_, n) => [`large-${n}`, 'A'.repeat(10_000)])
    image('a', { annotations: Object.fromEntries(texts) })
  },
  'an index': ({ image, index }) => index([image('a'), image('b')]),
  'an index of indexes': ({ image, index }) => index([index([image('a')]), index([image('b')])]),
  'an empty index': ({ index }) => index([]),
  'an image without layers': ({ image }) => image('a', { layers: [] }),
  'an artifact': ({ image, blob }) =>
    image('a', { artifactType: 'a/b', config: blob(EMPTY.mediaType, '{}') }),
  'an artifact of nothing but the empty blob': ({ image, blob }) => {
    const empty = blob(EMPTY.mediaType, '{}')
    image('a', { artifactType: 'a/b', config: empty, layers: [empty] })
  },
  'an index of artifacts': ({ image, index }) =>
    index([image('a', { artifactType: 'a/b' })], { artifactType: 'a/c' }),
  'artifacts with a subject': ({ image }) => {
    const subject = image('a')
    image('b', { subject })
    image('c', { subject, artifactType: 'a/b', annotations: { by: 'me' } })
    image('d', { subject, artifactType: 'a/c', annotations: { by: 'me' } })
  },
  'an index with a subject': ({ image, index }) => {
    const subject = index([image('a')])
    index([image('b')], { subject, artifactType: 'a/b', annotations: { by: 'me' } })
    index([], { subject })
  },
  'an artifact whose subject is missing': ({ image }) =>
    image('a', { subject: { mediaType: OCI_MANIFEST, digest: MISSING, size: 123 } }),
  'descriptors with data': ({ image, blob }) =>
    image('a', { layers: [blob('a/layer', 'text', { data: btoa('text') })] }),
  'layers that may not be distributed': ({ image, blob }) => {
    const elsewhere = { mediaType: 'a/b', digest: MISSING, size: 9, urls: ['https://far.test/'] }
    image('a', { layers: [elsewhere, blob('a/layer', 'here')] })
  },
  'fields that nobody knows': ({ image, index }) =>
    index([image('a', { 'x-field': { y: [1] } })], { 'x-field': 'z' }),
  'a blob of no bytes': ({ image, blob }) => image('a', { layers: [blob('a/layer', '')] }),
}

for (const algorithm of ['sha256', 'sha512'] as const) {
  for (const [kind, make] of Object.entries(KINDS)) {
    test(`${kind}, by ${algorithm}, is pushed, listed, pulled, referred to and deleted`, async () => {
      const made = createArtifact(algorithm)
      make(made)
      await goThrough(freshName(), made.artifact)
    })
  }
}

async function goThrough(name: string, { blobs, manifests }: Artifact): Promise<void> {
  const path = `/v2/${name}`
  const statusOf = async (method: string, part: string) =>
    (await send(method, `${path}/${part}`)).status

  for (const [digest, bytes] of blobs) await pushBlob(path, digest, bytes)
  for (const { digest, body, mediaType, fields } of manifests) {
    const reference = manifests.at(-1)?.digest === digest ? `${digest}?tag=v1` : digest
    const headers = { 'content-type': mediaType, 'transfer-encoding': 'chunked' }
    const pushed = await send('PUT', `${path}/manifests/${reference}`, { body, headers })
    assert.equal(pushed.status, 201)
    assert.equal(pushed.headers['oci-subject'], fields.subject?.digest)
    assert.equal((await send('GET', String(pushed.headers.location))).body.toString(), body)
  }
  assert.deepEqual((await send('GET', `${path}/tags/list`)).json(), { name, tags: ['v1'] })

  const last = manifests.at(-1)
  for (const { digest, body, mediaType } of manifests) {
    for (const reference of digest === last?.digest ? [digest, 'v1'] : [digest]) {
      for (const method of ['HEAD', 'GET']) {
        const pulled = await send(method, `${path}/manifests/${reference}`)
        assert.equal(pulled.body.toString(), method === 'GET' ? body : '')
        assert.equal(pulled.headers['content-type'], mediaType)
        assert.equal(pulled.headers['content-length'], String(Buffer.byteLength(body)))
        assert.equal(pulled.headers['docker-content-digest'], digest)
      }
    }
  }
  for (const [digest, bytes] of blobs) {
    const pulled = await send('GET', `${path}/blobs/${digest}`)
    assert.deepEqual(pulled.body, bytes)
    const head = await send('HEAD', `${path}/blobs/${digest}`)
    assert.equal(head.headers['content-length'], String(bytes.length))
  }
  await checkReferrers(path, manifests)

  assert.equal(await statusOf('DELETE', 'manifests/v1'), 202)
  assert.equal(await statusOf('GET', 'manifests/v1'), 404)
  const parts = [
    ...manifests.toReversed().map(({ digest }) => `manifests/${digest}`),
    ...[...blobs.keys()].map((digest) => `blobs/${digest}`),
  ]
  for (const part of parts) {
    assert.equal(await statusOf('DELETE', part), 202)
    assert.equal(await statusOf('HEAD', part), 404)
  }
}

/** In one request, in two, as a stream, or in chunks, depending on its length. */
async function pushBlob(path: string, digest: Digest, body: Buffer): Promise<void> {
  const uploads = `${path}/blobs/uploads/`
  const way = body.length % 4
  const begun = way === 0 ? undefined : await send('POST', uploads)
  let location = String(begun?.headers.location ?? uploads)
  const patch = async (bytes: Buffer, headers: Record<string, string>) => {
    const sent = await send('PATCH', location, { body: bytes, headers })
    assert.equal(sent.status, 202)
    location = String(sent.headers.location)
  }
  if (way === 2) await patch(body, { 'transfer-encoding': 'chunked' })
  if (way === 3) {
    await patch(body.subarray(0, 2), { 'content-range': '0-1' })
    await patch(body.subarray(2), { 'content-range': `2-${body.length - 1}` })
  }
  const closed = await send(way === 0 ? 'POST' : 'PUT', closing(location, digest), {
    body: way < 2 ? body : '',
  })
  assert.equal(closed.status, 201)
  assert.deepEqual((await send('GET', String(closed.headers.location))).body, body)
}

/** For each subject what says to refer to it, whole and by each artifact type. */
async function checkReferrers(path: string, manifests: Artifact['manifests']): Promise<void> {
  const subjects = new Set(manifests.flatMap(({ fields }) => fields.subject?.digest ?? []))
  for (const subject of subjects) {
    const expected = manifests
      .filter(({ fields }) => fields.subject?.digest === subject)
      .map(({ digest, body, mediaType, fields }) => {
        const { annotations } = fields
        const artifactType = artifactTypeOf(fields)
        return {
          mediaType,
          digest,
          size: body.length,
          ...(artifactType && { artifactType }),
          ...(annotations && { annotations }),
        }
      })
      .toSorted((a, b) => (a.digest < b.digest ? -1 : 1))
    const list = async (query = '') =>
      (await send('GET', `${path}/referrers/${subject}${query}`)).json().manifests
    assert.deepEqual(await list(), expected)
    for (const { artifactType } of expected) {
      if (artifactType === undefined) continue
      const filtered = await list(`?artifactType=${encodeURIComponent(artifactType)}`)
      assert.deepEqual(
        filtered,
        expected.filter((each) => each.artifactType === artifactType),
      )
    }
  }
}

const artifactTypeOf = ({ artifactType, config }: Fields): string | undefined =>
  artifactType ?? config?.mediaType

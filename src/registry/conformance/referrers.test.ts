import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { OCI_INDEX, OCI_MANIFEST } from '../manifests/manifest.ts'
import {
  artifact,
  EMPTY,
  index,
  MISSING,
  manifestDescriptor,
  nameSource,
  type PushedManifest,
  pushArtifact,
  putManifest,
} from '../testing/oci-content.ts'
import { startRegistry } from '../testing/registry-fixture.ts'

// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
const registry = await startRegistry({ after })
const freshName = nameSource()
const SBOM = 'application/vnd.example.sbom.v1'
const SIGNATURE = 'application/vnd.example.signature.v1'

interface Referrer {
  readonly digest: string
  readonly artifactType?: string
}

const referrersOf = async (app: string, digest: string, query = '') => {
  const answer = await registry.send('GET', `/v2/${app}/referrers/${digest}${query}`)
  return { ...answer, manifests: answer.json().manifests as readonly Referrer[] }
}

/** What refers to a manifest, by its fields. */
const pushReferrer = (app: string, subject: PushedManifest, fields: object = {}) =>
  pushArtifact(registry, app, { subject: manifestDescriptor(subject), ...fields })

test('what nothing refers to, known or not, MUST have an empty list, and MUST NOT be 404', async () => {
  const app = freshName()
  const before = await referrersOf(app, MISSING)
  const { digest } = await pushArtifact(registry, app)
  for (const answer of [before, await referrersOf(app, digest)]) {
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.json(), { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] })
  }
})

test('400: a digest of invalid syntax MUST be refused', async () => {
  const app = freshName()
  for (const digest of ['sha256:short', 'v1', 'sha256']) {
    const answer = await registry.send('GET', `/v2/${app}/referrers/${digest}`)
    assert.deepEqual([answer.status, answer.code], [400, 'DIGEST_INVALID'])
  }
})

test('the Content-Type MUST be that of an image index', async () => {
  const app = freshName()
  const { headers } = await referrersOf(app, MISSING)
  assert.equal(headers['content-type'], OCI_INDEX)
})

test('each descriptor is of a manifest of the same repository with that subject', async () => {
  const app = freshName()
  const subject = await pushArtifact(registry, app)
  const other = await pushReferrer(app, subject, { artifactType: SBOM })
  await pushReferrer(app, other)
  await pushArtifact(registry, 'elsewhere', { subject: manifestDescriptor(subject) })
  const { manifests } = await referrersOf(app, subject.digest)
  assert.deepEqual(manifests, [{ ...manifestDescriptor(other), artifactType: SBOM }])
})

for (const [what, fields, expected] of [
  ['the artifactType of the manifest', { artifactType: SBOM }, SBOM],
  [
    'the media type of its config where it has none',
    { config: { ...EMPTY, mediaType: SIGNATURE } },
    SIGNATURE,
  ],
  [
    'that too where it is empty',
    { artifactType: '', config: { ...EMPTY, mediaType: SIGNATURE } },
    SIGNATURE,
  ],
] as const) {
  test(`the descriptor MUST have as artifactType ${what}`, async () => {
    const app = freshName()
    const subject = await pushArtifact(registry, app)
    await pushReferrer(app, subject, fields)
    const { manifests } = await referrersOf(app, subject.digest)
    assert.equal(manifests[0]?.artifactType, expected)
  })
}

test('the descriptor of an index MUST have its artifactType, and none where it has none', async () => {
  const app = freshName()
  const subject = manifestDescriptor(await pushArtifact(registry, app))
  for (const fields of [{ artifactType: SBOM }, {}]) {
    await putManifest(registry, app, index([], { subject, ...fields }), { mediaType: OCI_INDEX })
  }
  const { manifests } = await referrersOf(app, subject.digest)
  assert.deepEqual(manifests.map(({ artifactType }) => artifactType).toSorted(), [SBOM, undefined])
})

test('descriptors MUST have the annotations of the manifest', async () => {
  const app = freshName()
  const subject = await pushArtifact(registry, app)
  const annotations = { 'org.example.by': 'me', 'org.example.é': '' }
  const pushed = await pushReferrer(app, subject, { artifactType: SBOM, annotations })
  const { manifests } = await referrersOf(app, subject.digest)
  const expected = { ...manifestDescriptor(pushed), artifactType: SBOM, annotations }
  assert.deepEqual(manifests, [expected])
})

test('what was pushed before its subject MUST be in the list, before it is there and after', async () => {
  const app = freshName()
  const content = artifact({ annotations: { late: 'yes' } })
  await pushArtifact(registry, app)
  const late = await putManifest(registry, 'elsewhere', content)
  const referrer = await pushReferrer(app, late)
  const listed = async () =>
    (await referrersOf(app, late.digest)).manifests.map(({ digest }) => digest)
  assert.deepEqual(await listed(), [referrer.digest])
  assert.equal((await putManifest(registry, app, content)).answer.status, 201)
  assert.deepEqual(await listed(), [referrer.digest])
})

test('what is listed by the tag schema and has that subject MUST be in the list as well', async () => {
  const app = freshName()
  const subject = await pushArtifact(registry, app)
  const referrer = await pushReferrer(app, subject)
  await putManifest(registry, app, index([manifestDescriptor(referrer)]), {
    mediaType: OCI_INDEX,
    reference: subject.digest.replace(':', '-'),
  })
  const { manifests } = await referrersOf(app, subject.digest)
  assert.deepEqual(
    manifests.map(({ digest }) => digest),
    [referrer.digest],
  )
})

test('a filter by artifactType SHOULD be supported, and MUST be told in OCI-Filters-Applied', async () => {
  const app = freshName()
  const subject = await pushArtifact(registry, app)
  const sbom = await pushReferrer(app, subject, { artifactType: SBOM })
  await pushReferrer(app, subject, { artifactType: SIGNATURE })
  for (const [type, expected] of [
    [SBOM, [sbom.digest]],
    ['application/vnd.example.nothing', []],
    ["'; --", []],
  ] as const) {
    const query = `?artifactType=${encodeURIComponent(type)}`
    const { headers, manifests } = await referrersOf(app, subject.digest, query)
    assert.equal(headers['oci-filters-applied'], 'artifactType')
    assert.deepEqual(
      manifests.map(({ digest }) => digest),
      expected,
    )
  }
  const all = await referrersOf(app, subject.digest)
  assert.deepEqual([all.manifests.length, all.headers['oci-filters-applied']], [2, undefined])
})

test('a Link MUST lead on where not all fit into one manifest, through each once, filter and all', async () => {
  const app = freshName()
  const subject = await pushArtifact(registry, app)
  const large = 'x'.repeat(1_500_000)
  const pushed: string[] = []
  for (const number of [1, 2, 3, 4, 5]) {
    const annotations = { large, number: String(number) }
    const { digest } = await pushReferrer(app, subject, { artifactType: SBOM, annotations })
    pushed.push(digest)
  }
  await pushReferrer(app, subject, { artifactType: SIGNATURE, annotations: { large } })
  const seen: string[] = []
  let pages = 0
  for (let query: string | undefined = `?artifactType=${SBOM}`; query !== undefined; pages += 1) {
    const { body, headers, manifests } = await referrersOf(app, subject.digest, query)
    assert.ok(body.length <= 4 * 1024 * 1024)
    assert.equal(headers['oci-filters-applied'], 'artifactType')
    seen.push(...manifests.map(({ digest }) => digest))
    query = /^<\/v2\/[^/]+\/referrers\/[^?]+(\?[^>]+)>; rel="next"$/.exec(String(headers.link))?.[1]
  }
  assert.deepEqual([seen, pages], [pushed.toSorted(), 3])
})

test('a subject may go by SHA-512', async () => {
  const app = freshName()
  await pushArtifact(registry, app)
  const subject = await putManifest(registry, app, artifact(), { algorithm: 'sha512' })
  const referrer = await pushReferrer(app, subject)
  assert.equal(referrer.answer.headers['oci-subject'], subject.digest)
  const { manifests } = await referrersOf(app, subject.digest)
  assert.deepEqual(
    manifests.map(({ digest }) => digest),
    [referrer.digest],
  )
})

// That those without a tag go with their subject is the service's: `az acr manifest delete` warns of it.
test('a referrer that is deleted is not in the list; one whose subject is deleted can be', async () => {
  const app = freshName()
  const subject = await pushArtifact(registry, app)
  await pushReferrer(app, subject)
  const fields = { subject: manifestDescriptor(subject), annotations: { is: 'tagged' } }
  const referrer = await pushArtifact(registry, app, fields, 'tagged')
  await registry.send('DELETE', `/v2/${app}/manifests/${subject.digest}`)
  const { manifests } = await referrersOf(app, subject.digest)
  assert.deepEqual(
    manifests.map(({ digest }) => digest),
    [referrer.digest],
  )
  const gone = await registry.send('DELETE', `/v2/${app}/manifests/${referrer.digest}`)
  assert.equal(gone.status, 202)
  assert.equal((await referrersOf(app, subject.digest)).manifests.length, 0)
})

test('an image that says its Content-Type only is listed with it', async () => {
  const app = freshName()
  const subject = await pushArtifact(registry, app)
  const fields = { mediaType: undefined, subject: manifestDescriptor(subject) }
  await pushArtifact(registry, app, fields)
  const { manifests } = await referrersOf(app, subject.digest)
  assert.deepEqual(
    manifests.map((each) => 'mediaType' in each && each.mediaType),
    [OCI_MANIFEST],
  )
})

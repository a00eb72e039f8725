import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { closing, MISSING } from '../testing/oci-content.ts'
import {
  ADMIN,
  type Answer,
  type Fixture,
  pushBlob,
  startRegistry,
} from '../testing/registry-fixture.ts'
import { bearerOf, giveToken } from '../testing/token-fixture.ts'

// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#mounting-a-blob-from-another-repository
const BYTES = Buffer.from('a shared layer')
const DIGEST = digestOf(BYTES)

const mount = (registry: Fixture, query: string, authorization?: string) =>
  registry.send('POST', `/v2/copy/blobs/uploads/?mount=${query}`, {
    ...(authorization !== undefined && { authorization }),
  })

const SCOPE = 'repository:copy:pull,push'

/** The scope that a 401 tells the client to ask for. */
const scopeOf = (refused: Answer): string =>
  /scope="([^"]+)"/.exec(String(refused.headers['www-authenticate']))?.[1] ?? ''

for (const [what, from] of [
  ['from where it says', '&from=source'],
  ['from wherever it may be read (the registry MAY treat from as optional)', ''],
]) {
  test(`a mount ${what} MUST be answered 201 with the Location of the blob`, async (t) => {
    const registry = await startRegistry(t)
    await pushBlob(registry, 'source', BYTES)
    const answer = await mount(registry, `${DIGEST}${from}`)
    assert.deepEqual([answer.status, answer.headers['docker-content-digest']], [201, DIGEST])
    assert.equal(answer.headers.location, `/v2/copy/blobs/${DIGEST}`)
    assert.deepEqual((await registry.send('GET', answer.headers.location)).body, BYTES)
    await registry.send('DELETE', `/v2/source/blobs/${DIGEST}`)
    assert.equal((await registry.send('HEAD', answer.headers.location)).status, 200)
  })
}

test('a blob that goes by SHA-512 can be mounted by it', async (t) => {
  const registry = await startRegistry(t)
  const digest = digestOf(BYTES, 'sha512')
  await registry.send('POST', `/v2/source/blobs/uploads/?digest=${digest}`, { body: BYTES })
  const answer = await mount(registry, `${digest}&from=source`)
  assert.deepEqual([answer.status, answer.headers['docker-content-digest']], [201, digest])
  assert.deepEqual((await registry.send('GET', `/v2/copy/blobs/${digest}`)).body, BYTES)
})

for (const [what, query] of [
  ['is not where it should be', `${DIGEST}&from=elsewhere`],
  ['should be in what is no repository', `${DIGEST}&from=../source`],
  ['is nowhere', MISSING],
  ['is nowhere, not where it should be either', `${MISSING}&from=source`],
  ['has no digest', 'sha256:short&from=source'],
] as const) {
  test(`a blob that ${what} cannot be mounted: it SHOULD be answered 202, and the upload goes on`, async (t) => {
    const registry = await startRegistry(t)
    await pushBlob(registry, 'source', BYTES)
    const answer = await mount(registry, query)
    assert.equal(answer.status, 202)
    const location = closing(String(answer.headers.location), DIGEST)
    assert.equal((await registry.send('PUT', location, { body: BYTES })).status, 201)
  })
}

for (const from of ['&from=source', '']) {
  test(`a mount${from} of what may not be read is like one of what is not there`, async (t) => {
    const registry = await startRegistry(t)
    await pushBlob(registry, 'source', BYTES)
    giveToken(registry, 'copier', { scopes: new Map([['copy', ['pull', 'push']]]) })
    await isNotTold(registry, from, await bearerOf(registry, ['copier', 'one'], SCOPE))
  })
}

test('a mount without from of what the token does not name is like one of what is not there', async (t) => {
  const registry = await startRegistry(t)
  await pushBlob(registry, 'source', BYTES)
  await isNotTold(registry, '', await bearerOf(registry, [ADMIN.user, ADMIN.password], SCOPE))
})

/** Asks for a blob that is in the source, and for one that is nowhere. */
const mountBoth = async (registry: Fixture, from: string, token: string) => [
  await mount(registry, `${DIGEST}${from}`, token),
  await mount(registry, `${MISSING}${from}`, token),
]

async function isNotTold(registry: Fixture, from: string, token: string): Promise<void> {
  const answers = await mountBoth(registry, from, token)
  assert.deepEqual(
    answers.map(({ status }) => status),
    [202, 202],
  )
  const [secret, missing] = answers.map(({ headers }) => Object.keys(headers))
  assert.deepEqual(secret, missing)
  assert.equal((await registry.send('HEAD', `/v2/copy/blobs/${DIGEST}`)).status, 404)
}

test('401: a client that asks to mount is told to ask for the source as well', async (t) => {
  const registry = await startRegistry(t)
  await pushBlob(registry, 'source', BYTES)
  const refused = await mount(registry, `${DIGEST}&from=source`, '')
  assert.equal(scopeOf(refused), 'repository:copy:pull,push repository:source:pull')
  const token = await bearerOf(
    registry,
    [ADMIN.user, ADMIN.password],
    ...scopeOf(refused).split(' '),
  )
  assert.equal((await mount(registry, `${DIGEST}&from=source`, token)).status, 201)
})

test('401: so is one whose token does not name the source that it may read, whatever is there', async (t) => {
  const registry = await startRegistry(t)
  await pushBlob(registry, 'source', BYTES)
  const token = await bearerOf(registry, [ADMIN.user, ADMIN.password], SCOPE)
  for (const refused of await mountBoth(registry, '&from=source', token)) {
    assert.equal(refused.status, 401)
    assert.equal(scopeOf(refused), 'repository:copy:pull,push repository:source:pull')
    assert.match(String(refused.headers['www-authenticate']), /error="insufficient_scope"/)
  }
})

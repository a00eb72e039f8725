import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { closing, MISSING } from '../testing/oci-content.ts'
import { type Fixture, pushBlob, startRegistry } from '../testing/registry-fixture.ts'

// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#mounting-a-blob-from-another-repository
const BYTES = Buffer.from('a shared layer')
const DIGEST = digestOf(BYTES)

const mount = (registry: Fixture, query: string, authorization?: string) =>
  registry.send('POST', `/v2/copy/blobs/uploads/?mount=${query}`, {
    ...(authorization !== undefined && { authorization }),
  })

/** What a client has that was given a token for the one repository. */
async function tokenForCopy(registry: Fixture): Promise<string> {
  const scope = encodeURIComponent('repository:copy:pull,push')
  const answer = await registry.send('GET', `/oauth2/token?scope=${scope}`)
  return `Bearer ${answer.json().access_token}`
}

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
    const token = await tokenForCopy(registry)
    const [secret, missing] = [
      await mount(registry, `${DIGEST}${from}`, token),
      await mount(registry, `${MISSING}${from}`, token),
    ]
    assert.deepEqual([secret.status, missing.status], [202, 202])
    assert.deepEqual(Object.keys(secret.headers), Object.keys(missing.headers))
    assert.equal((await registry.send('HEAD', `/v2/copy/blobs/${DIGEST}`)).status, 404)
  })
}

test('401: a client that asks to mount is told to ask for the source as well', async (t) => {
  const registry = await startRegistry(t)
  await pushBlob(registry, 'source', BYTES)
  const refused = await mount(registry, `${DIGEST}&from=source`, '')
  const scope = /scope="([^"]+)"/.exec(String(refused.headers['www-authenticate']))?.[1] ?? ''
  assert.equal(scope, 'repository:copy:pull,push repository:source:pull')
  const answer = await registry.send('GET', `/oauth2/token?scope=${encodeURIComponent(scope)}`)
  const token = `Bearer ${answer.json().access_token}`
  assert.equal((await mount(registry, `${DIGEST}&from=source`, token)).status, 201)
})

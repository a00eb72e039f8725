import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { pushArtifact } from '../testing/oci-content.ts'
import { pushBlob, startRegistry } from '../testing/registry-fixture.ts'

// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
const TAGS = ['1', '10', '2', 'A', 'V1', '_x', 'a', 'a-b', 'a.b', 'a_b', 'ab', 'v1']

const registry = await startRegistry({ after })
before(async () => {
  for (const tag of TAGS.toReversed()) await pushArtifact(registry, 'app', {}, tag)
})

async function list(query = '') {
  const { status, headers, json } = await registry.send('GET', `/v2/app/tags/list${query}`)
  const { name, tags } = json()
  return { status, name, tags, link: headers.link }
}

test('a list of tags MUST be answered 200 with the name and the tags', async () => {
  assert.deepEqual(await list(), { status: 200, name: 'app', tags: TAGS, link: undefined })
})

test('tags MUST be in lexical order, that of ASCII', async () => {
  const { tags } = await list()
  assert.deepEqual(tags, TAGS.toSorted())
})

test('the list MAY be empty; it is a list all the same', async () => {
  await pushArtifact(registry, 'untagged')
  const { status, json } = await registry.send('GET', '/v2/untagged/tags/list')
  assert.deepEqual([status, json()], [200, { name: 'untagged', tags: [] }])
})

test('404: a repository that is not found has no list', async () => {
  const answer = await registry.send('GET', '/v2/nobody/tags/list')
  assert.deepEqual([answer.status, answer.code], [404, 'NAME_UNKNOWN'])
})

test('with n the answer MUST have n tags from the beginning, unless there are fewer', async () => {
  assert.deepEqual((await list('?n=5')).tags, TAGS.slice(0, 5))
  for (const n of [TAGS.length, TAGS.length + 1, 999_999_999]) {
    assert.deepEqual((await list(`?n=${n}`)).tags, TAGS)
  }
})

test('when n is zero the list MUST be empty and MUST NOT have a Link', async () => {
  assert.deepEqual(await list('?n=0'), { status: 200, name: 'app', tags: [], link: undefined })
  assert.deepEqual((await list('?n=0&last=a')).tags, [])
})

test('with last the list begins after that tag, be it there or not, with n or without', async () => {
  assert.deepEqual((await list('?n=2&last=a')).tags, ['a-b', 'a.b'])
  assert.deepEqual((await list('?last=a')).tags, TAGS.slice(TAGS.indexOf('a') + 1))
  assert.deepEqual((await list('?last=a0')).tags, TAGS.slice(TAGS.indexOf('a_b')))
  assert.deepEqual((await list('?last=v1')).tags, [])
})

test('the Link MUST be as RFC 5988 has it with rel="next"; followed, it leads through all tags once', async () => {
  const seen: unknown[] = []
  let pages = 0
  for (let query: string | undefined = '?n=5'; query !== undefined; pages += 1) {
    const { tags, link } = await list(query)
    seen.push(...(tags as string[]))
    query = /^<\/v2\/app\/tags\/list(\?[^>]+)>; rel="next"$/.exec(String(link))?.[1]
  }
  assert.deepEqual([seen, pages], [TAGS, 3])
})

for (const n of ['-1', '1.5', 'ten', '%00']) {
  test(`400: n is a whole number, and '${n}' is none`, async () => {
    assert.equal((await list(`?n=${n}`)).status, 400)
  })
}

test('a repository of blobs alone is not there yet', async () => {
  await pushBlob(registry, 'blobs', Buffer.from('a blob'))
  assert.equal((await registry.send('GET', '/v2/blobs/tags/list')).status, 404)
})

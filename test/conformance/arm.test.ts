import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createArmForTests, type TestArm } from '../support/arm.ts'
import { SUBJECTS } from './subjects.ts'

for (const subject of SUBJECTS) {
  describe(subject.type, () => {
    const replaced = subject.replacedStatus ?? 200
    let arm: TestArm
    let collection: string
    let path: string
    let content: Readonly<Record<string, unknown>>
    before(async () => {
      arm = await createArmForTests({ providers: subject.providers })
      collection = await subject.prepare(arm)
      path = `${collection}/${subject.name}`
      content = typeof subject.body === 'function' ? await subject.body(arm) : subject.body
    })
    after(() => arm.close())

    test('404: before it is there', async () => {
      const answer = await arm.get(path)
      assert.equal(answer.status, 404)
      const error = answer.body.error ?? answer.body
      assert.ok(error.code && error.message)
      assert.equal((await arm.head(path)).status, 404)
    })

    test('204 or 404: a deletion before it is there', async () => {
      const { status } = await arm.delete(path)
      assert.equal(status, subject.deletion === 'operation' ? 404 : 204)
    })

    test('400: bad JSON makes nothing', async () => {
      const answer = await arm.put(path, '{"properties":')
      assert.deepEqual([answer.status, answer.body.error.code], [400, 'InvalidRequestContent'])
      assert.equal((await arm.get(path)).status, 404)
    })

    test('412: If-Match where nothing is', async () => {
      assert.equal((await arm.put(path, content, { 'if-match': '*' })).status, 412)
    })

    test('is created, with its id, name, type and state', async () => {
      const { status, body } = await arm.put(path, content)
      assert.equal(status, 201, JSON.stringify(body))
      assert.equal(body.id, path)
      assert.equal(body.name, subject.name)
      assert.equal(body.type, subject.type)
      assert.equal(body.properties.provisioningState ?? 'Succeeded', 'Succeeded')
      assert.deepEqual((await arm.get(path)).body, body)
      assert.equal((await arm.head(path)).status, 204)
    })

    test('stays the same under the same PUT, and under a PUT of what was read', async () => {
      const { body } = await arm.get(path)
      const replayed = await arm.put(path, content)
      assert.deepEqual([replayed.status, replayed.body], [replaced, body])
      const echoed = await arm.put(path, body)
      assert.deepEqual([echoed.status, withoutTimes(echoed.body)], [replaced, withoutTimes(body)])
    })

    test('is found in any case, and answers in its own', async () => {
      const { body } = await arm.get(path)
      for (const other of [path.toUpperCase(), path.toLowerCase(), `${path}/`]) {
        const answer = await arm.get(other)
        assert.deepEqual([answer.status, answer.body], [200, body])
      }
      const written = await arm.put(path.toUpperCase(), content)
      assert.deepEqual([written.status, withoutTimes(written.body)], [replaced, withoutTimes(body)])
    })

    test('takes any api-version, but needs one', async () => {
      assert.equal((await arm.get(`${path}?api-version=2031-01-01`)).status, 200)
      const answer = await arm.get(`${path}?api-version=`)
      assert.deepEqual([answer.status, answer.body.error.code], [400, 'MissingApiVersionParameter'])
    })

    test('412: If-None-Match where it is', async () => {
      const answer = await arm.put(path, content, { 'if-none-match': '*' })
      assert.equal(answer.status, 412)
      assert.equal((answer.body.error ?? answer.body).code, 'PreconditionFailed')
    })

    test('is listed once', async () => {
      const { body } = await arm.get(path)
      const found = (await arm.list(collection)).filter(({ id }) => id === body.id)
      assert.deepEqual(found, [body])
    })

    if (subject.isTagged) {
      test('takes new tags by PATCH and keeps the rest', async () => {
        const { body: before } = await arm.get(path)
        const { status, body } = await arm.patch(path, { tags: { purpose: 'test' } })
        assert.equal(status, 200)
        assert.deepEqual(body.tags, { purpose: 'test' })
        assert.deepEqual(withoutEtags(body.properties), withoutEtags(before.properties))
        assert.equal(body.location, before.location)
      })
    }

    test('goes, and is gone', async () => {
      assert.equal((await arm.deleteAndWait(path)).status, 200)
      assert.equal((await arm.get(path)).status, 404)
      assert.equal((await arm.delete(path)).status, subject.deletion ? 404 : 204)
      assert.equal((await arm.put(path, content)).status, 201)
    })
  })
}

// Parts of a resource repeat its etag, which a new tag changes.
function withoutEtags(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (name, member) => (name === 'etag' ? undefined : member))
}

// Saying a default aloud counts as a modification, though nothing else shows it.
const withoutTimes = ({ systemData: _, ...rest }: Readonly<Record<string, unknown>>) => rest

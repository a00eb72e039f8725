import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createArmForTests, type TestArm } from '../../test/support/arm.ts'
import { widgetsProvider } from '../../test/support/widgets.ts'
import type { Change } from '../storage/change-feed.ts'

let arm: TestArm
let group: string
let widgets: string
before(async () => {
  arm = await createArmForTests({ providers: [widgetsProvider] })
  group = await arm.group('Main')
  widgets = `${group}/providers/Example.Test/widgets`
})
after(() => arm.close())

const BODY = { location: 'West Europe', properties: {} }

describe('actions', () => {
  test('GET actions get the rest of the path', async () => {
    await arm.put(`${widgets}/acting`, BODY)
    const answer = await arm.get(`${widgets}/acting/WEIGH/a/b`)
    assert.deepEqual(answer.body, { segments: ['a', 'b'] })
    assert.equal((await arm.post(`${widgets}/acting/weigh`)).status, 405)
    assert.equal((await arm.post(`${widgets}/none/reveal`)).status, 404)
    assert.equal((await arm.post(`${widgets}/acting/odd`)).status, 404)
  })

  test('an asynchronous one is polled to its result or its error', async () => {
    await arm.put(`${widgets}/async`, BODY)
    const poll = async (body: unknown) => {
      let answer = await arm.post(`${widgets}/async/paint`, body)
      assert.equal(answer.status, 202)
      assert.match(
        String(answer.headers.location),
        /\/providers\/Example.Test\/locations\/westeurope\/operationResults\//,
      )
      while (answer.status === 202) answer = await arm.get(String(answer.headers.location))
      return answer
    }
    const done = await poll({ color: 'red' })
    assert.deepEqual([done.status, done.body], [200, { color: 'red' }])
    assert.equal((await arm.get(`${widgets}/async/parts/paint`)).status, 200)
    const failed = await poll({ color: 'blue' })
    assert.deepEqual([failed.status, failed.body.error.code], [400, 'BadColor'])
  })

  test('500: a crash tells nothing and leaves nothing behind', async () => {
    await arm.put(`${widgets}/crash`, BODY)
    const answer = await arm.post(`${widgets}/crash/crash`)
    assert.deepEqual(
      [answer.status, answer.body],
      [
        500,
        {
          error: {
            code: 'InternalServerError',
            message: 'The server failed to process the request.',
          },
        },
      ],
    )
    assert.equal((await arm.get(`${widgets}/crash/parts/half`)).status, 404)
  })

  test('a namespace answers at the subscription', async () => {
    const answer = await arm.post('providers/Example.Test/Greet', { hello: 1 })
    assert.deepEqual(answer.body, {
      subscriptionId: arm.settings.subscriptionId,
      body: { hello: 1 },
    })
  })
})

describe('references', () => {
  const tieTo = (id: string, more = {}) => ({ properties: { widget: { id }, ...more } })

  test('both ends see each other, after writes and after deletions', async () => {
    const { body: widget } = await arm.put(`${widgets}/tied`, BODY)
    const ties = `${group}/providers/Example.Test/ties`
    const tie = await arm.put(`${ties}/t1`, tieTo(`${widgets}/later`))
    assert.equal(tie.body.properties.seen, undefined)
    const bound = await arm.put(`${ties}/t2`, tieTo(widget.id.toUpperCase()))
    assert.equal(bound.status, 201)
    await arm.put(`${widgets}/later`, BODY)
    assert.equal((await arm.get(`${ties}/t1`)).body.properties.seen, true)
    await arm.put(`${widgets}/tied/parts/p`, { properties: {} })
    await arm.put(`${widgets}/tied`, { ...BODY, properties: { size: 7 } })
    assert.equal((await arm.get(`${widgets}/tied/parts/p`)).body.properties.size, 7)

    const refused = await arm.delete(`${widgets}/later`)
    assert.deepEqual([refused.status, refused.body.error.code], [409, 'InUse'])
    const changes: Change[] = []
    const stop = arm.feed.subscribe((each) => void changes.push(...each))
    assert.equal((await arm.delete(`${ties}/t1`)).status, 200)
    assert.equal((await arm.delete(`${widgets}/later`)).status, 200)
    stop()
    assert.deepEqual(
      changes.map(({ id, kind }) => [id, kind]),
      [
        [`${ties}/t1`, 'deleted'],
        [`${widgets}/later`, 'deleted'],
      ],
    )
    assert.equal((changes[1]?.revision ?? 0) - (changes[0]?.revision ?? 0), 1)
  })

  test('500: types that never settle are undone', async () => {
    const ties = `${group}/providers/Example.Test/ties`
    const first = await arm.put(`${ties}/x`, tieTo(`${ties}/y`, { restless: true }))
    assert.equal(first.status, 201)
    const second = await arm.put(`${ties}/y`, tieTo(`${ties}/x`, { restless: true }))
    assert.deepEqual([second.status, second.body.error.code], [500, 'InternalServerError'])
    assert.equal((await arm.get(`${ties}/y`)).status, 404)
    assert.equal((await arm.get(`${ties}/x`)).body.properties.turns, 0)
  })
})

describe('a group', () => {
  test('goes with all it holds, whatever order that takes', async () => {
    const own = await arm.group('Going')
    const there = `${own}/providers/Example.Test`
    await arm.put(`${there}/widgets/w`, BODY)
    await arm.put(`${there}/widgets/w/parts/p`, { properties: {} })
    await arm.put(`${there}/ties/t`, { properties: { widget: { id: `${there}/widgets/w` } } })
    assert.equal((await arm.deleteAndWait(own)).status, 200)
    await arm.group('going')
    assert.deepEqual(await arm.list(`${own}/resources`), [])
    assert.deepEqual(await arm.list(`${there}/ties`), [])
  })

  test('is not taken for an earlier one of its name by a deletion that a crash left', async () => {
    const own = await arm.group('Again')
    const asked = await arm.delete(own)
    const monitor = String(asked.headers.location)
    const outcome = async () => {
      let answer = await arm.get(monitor)
      while (answer.status === 202) answer = await arm.get(monitor)
      return answer.status
    }
    assert.equal(await outcome(), 200)
    await arm.group('Again')
    await arm.database.kysely.updateTable('operations').set({ state: 'Running' }).execute()
    await arm.plane.start()
    assert.equal(await outcome(), 200)
    assert.equal((await arm.get(own)).status, 200)
  })

  test('409: stays whole while something elsewhere holds on to its content', async () => {
    const own = await arm.group('Held')
    const there = `${own}/providers/Example.Test`
    await arm.put(`${there}/widgets/w`, BODY)
    await arm.put(`${there}/ties/inner`, { properties: { widget: { id: `${there}/widgets/w` } } })
    const outer = `${group}/providers/Example.Test/ties/outer`
    await arm.put(outer, { properties: { widget: { id: `${there}/widgets/w` } } })
    const refused = await arm.deleteAndWait(own)
    assert.deepEqual([refused.status, refused.body.error.code], [409, 'InUse'])
    assert.equal((await arm.get(`${there}/ties/inner`)).status, 200)
    await arm.delete(outer)
    assert.equal((await arm.deleteAndWait(own)).status, 200)
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify from 'fastify'
import { CHECKED_BY_SCHEMA } from './checked-by-schema.ts'

const BODY = { type: 'object', required: ['name'], properties: { name: { type: 'string' } } }
const QUERY = {
  type: 'object',
  properties: {
    since: { type: 'string', format: 'date-time' },
    limit: { type: 'integer', minimum: 1, maximum: 10 },
  },
}

function open() {
  const app = Fastify({ schemaController: CHECKED_BY_SCHEMA })
  app.post('/body', { schema: { body: BODY } }, async ({ body }) => body)
  app.get('/query', { schema: { querystring: QUERY } }, async ({ query }) => query)
  return app
}

test('a body that is as its schema says is passed on as it is', async () => {
  const answer = await open().inject({ method: 'POST', url: '/body', payload: { name: 'a', b: 1 } })
  assert.deepEqual([answer.statusCode, answer.json()], [200, { name: 'a', b: 1 }])
})

test('400: a body that is not, none at all', async () => {
  const app = open()
  const wrong = await app.inject({ method: 'POST', url: '/body', payload: { name: 1 } })
  assert.equal(wrong.statusCode, 400)
  assert.match(wrong.json().message, /body\/name must be string/)
  assert.equal((await app.inject({ method: 'POST', url: '/body' })).statusCode, 400)
})

test('numbers of a query are numbers', async () => {
  const url = '/query?limit=7&since=2026-01-02T03:04:05Z'
  assert.deepEqual((await open().inject(url)).json(), { limit: 7, since: '2026-01-02T03:04:05Z' })
})

test('400: a query whose number is too large, or none, or whose time is none', async () => {
  const app = open()
  for (const query of ['limit=11', 'limit=many', 'limit=1.5', 'limit=', 'since=yesterday']) {
    assert.equal((await app.inject(`/query?${query}`)).statusCode, 400, query)
  }
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createHealth, listenForProbes } from './health.ts'

const METRICS = { contentType: 'text/plain; version=0.0.4', text: async () => 'up 1\n' }

async function serve(t: TestContext, whyNotReady: () => readonly string[], metrics = METRICS) {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await new Promise<void>((resolve) => probe.close(() => resolve()))
  const listener = await listenForProbes(
    { address: '127.0.0.1', port },
    createHealth({ whyNotReady, metrics }),
  )
  t.after(() => listener.close())
  return async (path: string, method = 'GET') => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method })
    const text = await answer.text()
    const isJson = answer.headers.get('content-type')?.includes('json')
    return [answer.status, text === '' ? undefined : isJson ? JSON.parse(text) : text]
  }
}

test('who answers is alive, who lacks nothing is ready', async (t) => {
  const ask = await serve(t, () => [])
  assert.deepEqual(await ask('/healthz'), [200, { status: 'alive' }])
  assert.deepEqual(await ask('/readyz?verbose'), [200, { status: 'ready' }])
  assert.deepEqual(await ask('/readyz', 'HEAD'), [200, undefined])
})

test('503: not ready, with what is missing; alive all the same', async (t) => {
  const ask = await serve(t, () => ['the place shop is not in effect'])
  assert.deepEqual(await ask('/readyz'), [
    503,
    { status: 'not ready', reasons: ['the place shop is not in effect'] },
  ])
  assert.deepEqual(await ask('/healthz'), [200, { status: 'alive' }])
})

test('404 and 405: nothing else is served', async (t) => {
  const ask = await serve(t, () => [])
  assert.equal((await ask('/subscriptions'))[0], 404)
  assert.equal((await ask('/readyz', 'POST'))[0], 405)
})

test('the metrics are served beside the probes', async (t) => {
  const ask = await serve(t, () => ['it is starting'])
  assert.deepEqual(await ask('/metrics'), [200, 'up 1\n'])
  assert.deepEqual(await ask('/metrics', 'HEAD'), [200, undefined])
})

test('500: metrics that cannot be read', async (t) => {
  const text = async () => Promise.reject(new Error('the disk is gone'))
  const ask = await serve(t, () => [], { ...METRICS, text })
  assert.deepEqual(await ask('/metrics'), [500, { status: 'the metrics failed' }])
})

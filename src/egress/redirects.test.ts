import assert from 'node:assert/strict'
import { text as textOf } from 'node:stream/consumers'
import { test } from 'node:test'
import { EgressError } from '../lib/egress-error.ts'
import { ask, fetchText, openServed } from './egress-for-tests.ts'

const failsAs = (kind: string) => (error: unknown) =>
  error instanceof EgressError && error.kind === kind

for (const to of [
  'https://127.0.0.2:1/',
  'https://localhost/',
  'https://[::1]/',
  'https://2130706434/',
  'https://169.254.169.254/latest/meta-data/',
  'https://inside.test/',
]) {
  test(`refused: a redirect to ${to}`, async (t) => {
    const { egress, urlOf, requests } = await openServed(
      t,
      (_request, response) => response.writeHead(307, { location: to }).end(),
      {
        allow: ['127.0.0.1'],
        names: {
          'registry.test': ['127.0.0.1'],
          localhost: ['127.0.0.3'],
          'inside.test': ['10.0.0.1'],
        },
      },
    )
    await assert.rejects(egress.fetch({ ...ask, url: urlOf('/') }), failsAs('refused-target'))
    assert.equal(requests.length, 1)
  })
}

test('refused: a redirect from https to http', async (t) => {
  const { egress, urlOf, requests, server } = await openServed(t, (_request, response) =>
    response.writeHead(302, { location: `http://registry.test:${server.port}/` }).end(),
  )
  await assert.rejects(egress.fetch({ ...ask, url: urlOf('/') }), failsAs('redirects'))
  assert.equal(requests.length, 1)
})

test('redirects without an end are followed five times', async (t) => {
  const { egress, urlOf, requests, asked, events } = await openServed(t, (request, response) =>
    response.writeHead(307, { location: `${request.url}x` }).end(),
  )
  await assert.rejects(egress.fetch({ ...ask, url: urlOf('/') }), failsAs('redirects'))
  assert.equal(requests.length, 6)
  assert.equal(asked.length, 6)
  assert.deepEqual([events.length, events[0]?.hops.length], [1, 6])
})

test('credentials are not forwarded to another origin, nor when it leads back', async (t) => {
  const { egress, urlOf, requests } = await openServed(t, (request, response) => {
    const next = { '/1': urlOf('/2'), '/2': urlOf('/3', 'other.test'), '/3': urlOf('/4') }[
      request.url ?? ''
    ]
    response.writeHead(next ? 307 : 200, next ? { location: next } : {}).end()
  })
  await fetchText(egress, urlOf('/1'), {
    headers: { Authorization: 'Basic secret', Cookie: 'a=b', Accept: 'text/plain' },
  })
  assert.deepEqual(
    requests.map(({ url, headers }) => [
      url,
      headers.authorization,
      headers.cookie,
      headers.accept,
    ]),
    [
      ['/1', 'Basic secret', 'a=b', 'text/plain'],
      ['/2', 'Basic secret', 'a=b', 'text/plain'],
      ['/3', undefined, undefined, 'text/plain'],
      ['/4', undefined, undefined, 'text/plain'],
    ],
  )
})

test('another port is another origin', async (t) => {
  const other = await openServed(t, (_request, response) => response.end('there'))
  const { egress, urlOf } = await openServed(
    t,
    (_request, response) => response.writeHead(307, { location: other.urlOf('/') }).end(),
    { authorities: [] },
  )
  // Not trusted by either: the first certificate ends it.
  await assert.rejects(egress.fetch({ ...ask, url: urlOf('/') }), failsAs('tls'))
  const both = await openServed(
    t,
    (_request, response) => response.writeHead(307, { location: other.urlOf('/') }).end(),
    {},
  )
  await assert.rejects(
    both.egress.fetch({ ...ask, url: both.urlOf('/'), headers: { authorization: 'x' } }),
    failsAs('tls'),
  )
  assert.deepEqual(other.requests, [])
})

for (const [status, method, expected, body] of [
  [301, 'POST', 'GET', ''],
  [302, 'POST', 'GET', ''],
  [303, 'POST', 'GET', ''],
  [303, 'PUT', 'GET', ''],
  [303, 'HEAD', 'HEAD', ''],
  [301, 'HEAD', 'HEAD', ''],
  [302, 'PUT', 'PUT', 'a=b'],
  [307, 'POST', 'POST', 'a=b'],
  [308, 'POST', 'POST', 'a=b'],
] as const) {
  test(`${status} after ${method} leads to ${expected}`, async (t) => {
    const seen: unknown[] = []
    const { egress, urlOf } = await openServed(t, async (request, response) => {
      if (request.url === '/2') {
        seen.push(request.method, await textOf(request), request.headers['content-type'])
        return response.end()
      }
      return response.writeHead(status, { location: '/2' }).end()
    })
    await fetchText(egress, urlOf('/1'), {
      method,
      ...(method !== 'HEAD' && {
        body: Buffer.from('a=b'),
        headers: { 'Content-Type': 'text/plain' },
      }),
    })
    assert.deepEqual(seen, [expected, body, body ? 'text/plain' : undefined])
  })
}

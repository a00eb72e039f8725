import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EgressError } from '../lib/egress-error.ts'
import { ask, fetchText, NOTHING_OWN, openEgress, openServed } from './egress-for-tests.ts'

const isRefusal = (error: unknown): boolean =>
  error instanceof EgressError && error.kind === 'refused-target'

for (const host of [
  '127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '127.0.1',
  '2130706433',
  '017700000001',
  '0177.0.0.1',
  '0x7f000001',
  '0x7f.0x0.0x0.0x1',
  '0x7f.1',
  '%31%32%37.0.0.1',
  '１２７.0.0.1',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '0.0.0.0',
  '0',
  '[::]',
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '[::ffff:169.254.169.254]',
  '[fe80::1]',
  '10.0.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '[fd00::1]',
  '255.255.255.255',
  '224.0.0.1',
]) {
  test(`refused: https://${host}/`, async () => {
    const { egress, asked, events } = openEgress({ allow: [] })
    await assert.rejects(egress.fetch({ ...ask, url: `https://${host}/` }), isRefusal)
    assert.deepEqual(asked, [])
    assert.equal(events.length, 1)
  })
}

test('refused: localhost, as the machine itself resolves it', async () => {
  const { lookup } = await import('node:dns/promises')
  const resolve = async (host: string) =>
    (await lookup(host, { all: true })).map(({ address }) => address)
  const { egress } = openEgress({ allow: [], resolve })
  await assert.rejects(egress.fetch({ ...ask, url: 'https://localhost/' }), isRefusal)
  await assert.rejects(egress.fetch({ ...ask, url: 'https://localhost./' }), isRefusal)
})

for (const address of [
  '127.0.0.1',
  '::1',
  '::ffff:127.0.0.1',
  '0.0.0.0',
  '169.254.169.254',
  '10.0.0.1',
  'fd00::1',
  'fe80::1%eth0',
  'not an address',
]) {
  test(`refused: a public-looking name that resolves to ${address}`, async () => {
    const { egress } = openEgress({ allow: [], names: { 'registry.example.com': [address] } })
    await assert.rejects(egress.fetch({ ...ask, url: 'https://registry.example.com/' }), isRefusal)
  })
}

test('refused: a name with one bad address among good ones', async () => {
  const names = { 'registry.example.com': ['20.45.122.144', '127.0.0.1'] }
  const { egress } = openEgress({ allow: [], names })
  await assert.rejects(egress.fetch({ ...ask, url: 'https://registry.example.com/' }), isRefusal)
})

test('a name that changes its address between check and use gains nothing', async (t) => {
  const answers = [['127.0.0.1'], ['127.0.0.2'], ['169.254.169.254']]
  const { egress, urlOf, asked, events } = await openServed(
    t,
    (_request, response) => response.end('here'),
    { resolve: async () => answers.shift() ?? [] },
  )
  const { text } = await fetchText(egress, urlOf('/'))
  assert.equal(text, 'here')
  assert.deepEqual(asked, ['registry.test'])
  assert.deepEqual(events[0]?.hops[0]?.address, '127.0.0.1')
})

test('a name is resolved once for each connection, and the connection goes where the check looked', async (t) => {
  const { egress, urlOf, asked, server } = await openServed(t, (_request, response) =>
    response.end('here'),
  )
  await fetchText(egress, urlOf('/'))
  await fetchText(egress, urlOf('/'))
  assert.deepEqual(asked, ['registry.test', 'registry.test'])
  assert.equal(server.connections(), 2)
})

test('name and Host stay those of the URL', async (t) => {
  const { egress, urlOf, requests, server } = await openServed(t, (_request, response) =>
    response.end(),
  )
  await fetchText(egress, urlOf('/v2/'), { headers: { Host: 'somewhere.else' } })
  assert.equal(requests[0]?.headers.host, `registry.test:${server.port}`)
  const [request] = requests
  assert.ok(request && 'servername' in request.socket)
  assert.equal(request.socket.servername, 'registry.test')
})

test('the next address is tried where the first takes no connection', async (t) => {
  const { egress, urlOf } = await openServed(t, (_request, response) => response.end('here'), {
    names: { 'registry.test': ['127.0.0.2', '127.0.0.1'] },
  })
  assert.equal((await fetchText(egress, urlOf('/'))).text, 'here')
})

test('what is allowed never leads to the listeners of Causeway itself', async (t) => {
  const { server, requests } = await openServed(t, (_request, response) => response.end())
  const own = { ...NOTHING_OWN, ports: () => [server.port] }
  const { egress } = openEgress({ own, allow: ['127.0.0.0/8', '::1'] })
  for (const host of ['127.0.0.1', '127.0.0.2', '[::1]', '[::ffff:127.0.0.1]']) {
    const url = `https://${host}:${server.port}/`
    await assert.rejects(egress.fetch({ ...ask, url }), isRefusal)
  }
  assert.deepEqual(requests, [])
})

test('own names are not asked for, not even resolved', async () => {
  const own = { ...NOTHING_OWN, isOwnName: (host: string) => host.endsWith('.azurecr.io') }
  const { egress, asked } = openEgress({ own })
  await assert.rejects(
    egress.fetch({ ...ask, url: 'https://myregistry.AZURECR.io./v2/' }),
    isRefusal,
  )
  assert.deepEqual(asked, [])
})

for (const url of ['http://registry.test/', 'ftp://a', 'nothing', 'https://u:p@registry.test/']) {
  test(`no address to fetch: ${url}`, async () => {
    const { egress, asked } = openEgress()
    await assert.rejects(
      egress.fetch({ ...ask, url }),
      (error) => error instanceof EgressError && error.kind === 'bad-url',
    )
    assert.deepEqual(asked, [])
  })
}

test('of a closed port, a refused address and an unknown name the same is said', async () => {
  const message = async (names: Record<string, string[]>, allow: string[]) => {
    const { egress } = openEgress({ allow, names })
    // Port 1 is nobody's.
    const failure = await egress.fetch({ ...ask, url: 'https://a.test:1/' }).catch(String)
    return String(failure)
  }
  const closed = await message({ 'a.test': ['127.0.0.1'] }, ['127.0.0.1'])
  assert.match(closed, /cannot be reached from here/)
  assert.equal(await message({ 'a.test': ['127.0.0.1'] }, []), closed)
  assert.equal(await message({}, []), closed)
})

import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import { originOf } from '../lib/origin.ts'
import { get, hostFrontFor } from './front-for-tests.ts'

const CLOUD = { registryDomain: 'azurecr.io' }
const OWN = { registryDomain: 'registry.example.com', hostNames: ['causeway.example.com'] }

test('on the host the path tells authority from control plane', async (t) => {
  const { port, ask } = await hostFrontFor(t, CLOUD)
  const tenant = 'b2b1d9a4-0a6e-4d51-9f0c-1d7a3a7f0c11'
  for (const [path, plane] of [
    ['/adfs/oauth2/token', 'authority'],
    [`/${tenant}/oauth2/v2.0/token`, 'authority'],
    ['/common/discovery/instance?api-version=1.1', 'authority'],
    ['//metadata/endpoints?api-version=2015-01-01', 'control'],
    [`/subscriptions/${tenant}`, 'control'],
  ] as const) {
    const { body } = await ask('localhost', { path })
    assert.equal(body, `${plane} localhost:${port}`, path)
  }
})

test('the loopback address is a name of the control plane, also for a client that names none', async (t) => {
  const { port, ca } = await hostFrontFor(t, CLOUD)
  const headers = { host: `127.0.0.1:${port}` }
  const { status } = await get({ host: '127.0.0.1', port, ca: ca.host, headers })
  assert.equal(status, 200)
})

test('probes are answered by the names of the control plane alone', async (t) => {
  const { ask } = await hostFrontFor(t, OWN)
  assert.equal((await ask('localhost', { path: '/healthz' })).body, '{"status":"alive"}')
  assert.equal((await ask('localhost', { path: '/readyz' })).body, '{"status":"ready"}')
  const { body } = await ask('shop.registry.example.com', { path: '/healthz' })
  assert.equal(body, 'registry shop.registry.example.com')
})

test('404: a registry is not served by the name of the control plane', async (t) => {
  const { ask } = await hostFrontFor(t, CLOUD)
  const { status, body } = await ask('localhost', { path: '/v2/' })
  assert.equal(status, 404)
  assert.match(body, /https:\/\/<registry>\.localhost:<port>/)
})

test('421: the name of an attacker, and that of a registry that there is not', async (t) => {
  const { ask } = await hostFrontFor(t, CLOUD)
  for (const host of ['attacker.example', 'none.azurecr.io', 'none.localhost', 'azurecr.io']) {
    assert.equal((await ask('localhost', { headers: { host } })).status, 421, host)
    await assert.rejects(ask(host), /altnames/)
  }
})

test('a registry goes by its own name and by one below localhost, as the public side', async (t) => {
  const { port, ask } = await hostFrontFor(t, {
    ...OWN,
    answer: (request, response) =>
      response.end(JSON.stringify([request.headers.host, originOf(request)])),
  })
  const origin = { via: 'public', place: 'host', address: '127.0.0.1' }
  const own = JSON.parse((await ask('shop.registry.example.com')).body)
  assert.deepEqual(own, ['shop.registry.example.com', { ...origin, reach: { port } }])
  const local = JSON.parse((await ask('SHOP.localhost')).body)
  const domain = { served: 'registry.example.com', said: 'localhost' }
  assert.deepEqual(local, ['shop.registry.example.com', { ...origin, reach: { port, domain } }])
})

test('where a port is forwarded to this one, the client is sent back to that', async (t) => {
  const { ask } = await hostFrontFor(t, {
    ...OWN,
    answer: (request, response) => response.end(JSON.stringify(originOf(request))),
  })
  const reachOf = async (host: string) =>
    JSON.parse((await ask('shop.registry.example.com', { headers: { host } })).body).reach
  assert.deepEqual(await reachOf('shop.registry.example.com'), { port: 443 })
  assert.deepEqual(await reachOf('shop.registry.example.com:8443'), { port: 8443 })
})

test("421: a connection to a registry's name is not one to the control plane, nor the reverse", async (t) => {
  const { ask } = await hostFrontFor(t, OWN)
  const toLocalhost = { headers: { host: 'localhost' } }
  assert.equal((await ask('shop.registry.example.com', toLocalhost)).status, 421)
  const toRegistry = { headers: { host: 'shop.registry.example.com' } }
  assert.equal((await ask('localhost', toRegistry)).status, 421)
})

test("a cloud's name has the certificate of places, which the host's authority does not sign", async (t) => {
  const { ask, ca } = await hostFrontFor(t, CLOUD)
  assert.equal((await ask('shop.azurecr.io', { ca: ca.place })).status, 200)
  await assert.rejects(ask('shop.azurecr.io', { ca: ca.host }), /certificate/)
})

test('beyond loopback the operator says what is served', async (t) => {
  const { front, ca } = await hostFrontFor(t, OWN)
  const listening = async (serves: readonly ('registry' | 'control')[]) => {
    const port = await freePort('127.0.0.2')
    const { close } = await front.listenAt({ address: '127.0.0.2', port, serves })
    t.after(close)
    return (servername: string) =>
      get({ host: '127.0.0.2', port, servername, ca: ca.host }).then(
        ({ body }) => body,
        () => 'refused',
      )
  }
  const both = await listening(['registry', 'control'])
  assert.equal(await both('shop.registry.example.com'), 'registry shop.registry.example.com')
  assert.equal(await both('causeway.example.com'), 'control causeway.example.com')
  assert.equal(await both('localhost'), 'refused')
  assert.equal(await both('shop.localhost'), 'refused')
  const registry = await listening(['registry'])
  assert.equal(await registry('shop.registry.example.com'), 'registry shop.registry.example.com')
  assert.equal(await registry('causeway.example.com'), 'refused')
})

test('a port that is taken and an address of another machine are refused, with a cure', async (t) => {
  const { front, port } = await hostFrontFor(t, CLOUD)
  await assert.rejects(front.listenOnLoopback(port, ''), {
    name: 'CannotStart',
    message: /is taken: give --port/,
  })
  await assert.rejects(front.listenAt({ address: '192.0.2.1', port: 4443, serves: ['registry'] }), {
    name: 'CannotStart',
    message: /4443 of 192\.0\.2\.1 cannot be had, since this machine does not have the address/,
  })
})

function freePort(address: string): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.listen(0, address, () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })
}

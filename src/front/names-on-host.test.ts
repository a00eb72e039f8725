import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { needs } from '../../test/support/needs.ts'
import { run, succeeded } from '../../test/support/run.ts'
import { createDnsServer } from '../dns/dns-server.ts'
import { createHostResolver } from '../dns/host-resolver.ts'
import { systemClock as clock } from '../lib/clock.ts'
import { registryFacts } from './front-for-tests.ts'
import { createHostNameSource, type HostAddressBook } from './host-name-source.ts'
import { serveNamesOnHost } from './names-on-host.ts'

const DOMAIN = 'registry.example.com'
const log = { debug() {}, warn() {}, error() {} }
const NOTHING: HostAddressBook = {
  registry: { listeners: [], advertisedAddresses: [] },
  controlPlane: { listeners: [], hostNames: [] },
}
const LAN: HostAddressBook = {
  registry: { listeners: [{ address: '192.0.2.10' }], advertisedAddresses: [] },
  controlPlane: { listeners: [{ address: '192.0.2.11' }], hostNames: ['causeway.example.com'] },
}

const shop = registryFacts('shop', {
  loginServer: `shop.${DOMAIN}`,
  dataEndpoints: [{ region: 'westeurope', host: `shop.westeurope.data.${DOMAIN}` }],
})

const dnsOver = (addresses: HostAddressBook) => {
  const source = createHostNameSource({
    directory: { list: () => [shop], version: 1 },
    registryDomain: DOMAIN,
    addresses,
  })
  const resolver = createHostResolver(source)
  return createDnsServer({ resolver, zones: source, names: source, log })
}

/** A resolver on a free port of loopback, and `dig` at it. */
async function serve(t: TestContext, addresses: HostAddressBook) {
  const asked = { port: 0, isPortAsked: false, listeners: [] }
  const names = await serveNamesOnHost({ dns: dnsOver(addresses), asked, clock, log })
  t.after(() => names.close())
  const port = names.sockets[0]?.split(':')[1] ?? ''
  return async (...args: readonly string[]) =>
    succeeded(await run('dig', ['@127.0.0.1', '-p', port, '+tries=1', '+time=5', ...args]))
}

const withDig = needs('dig')

test('the names of a registry lead to loopback, where nothing else listens', withDig, async (t) => {
  const dig = await serve(t, NOTHING)
  assert.equal(await dig('+short', `shop.${DOMAIN}`), '127.0.0.1\n')
  assert.equal(await dig('+short', '+tcp', `shop.westeurope.data.${DOMAIN}`), '127.0.0.1\n')
})

test('beyond loopback they lead to the addresses on which the host serves', withDig, async (t) => {
  const dig = await serve(t, LAN)
  assert.equal(await dig('+short', `SHOP.${DOMAIN}`), '192.0.2.10\n')
  assert.equal(await dig('+short', 'causeway.example.com'), '192.0.2.11\n')
  const advertised = { ...LAN.registry, advertisedAddresses: ['198.51.100.1', '198.51.100.2'] }
  const elsewhere = await serve(t, { ...LAN, registry: advertised })
  assert.equal(await elsewhere('+short', `shop.${DOMAIN}`), '198.51.100.1\n198.51.100.2\n')
})

test('what forwarders need: flags, EDNS, the question as it was asked', withDig, async (t) => {
  const dig = await serve(t, NOTHING)
  const plain = await dig('+noedns', `ShOp.${DOMAIN}`)
  assert.match(plain, /flags: qr aa rd ra; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 0/)
  assert.match(plain, /;ShOp\.registry\.example\.com\.\s+IN\s+A/)
  const extended = await dig('+dnssec', '+cdflag', `shop.${DOMAIN}`)
  assert.match(extended, /flags: qr aa rd ra cd;.*(.|\n)*EDNS: version: 0, flags: do; udp: 1232/)
  assert.match(await dig('+edns=1', '+noednsneg', `shop.${DOMAIN}`), /status: BADVERS/)
})

test(
  'no AAAA is an empty answer, no registry a missing name, each with an SOA of the domain',
  withDig,
  async (t) => {
    const dig = await serve(t, NOTHING)
    for (const [status, ...question] of [
      ['NOERROR', `shop.${DOMAIN}`, 'AAAA'],
      ['NOERROR', `westeurope.data.${DOMAIN}`, 'A'],
      ['NOERROR', DOMAIN, 'A'],
      ['NXDOMAIN', `none.${DOMAIN}`, 'A'],
      ['NXDOMAIN', `shop.privatelink.${DOMAIN}`, 'A'],
    ] as const) {
      const answer = await dig(...question)
      assert.match(answer, new RegExp(`status: ${status}(.|\n)*ANSWER: 0, AUTHORITY: 1`), answer)
      assert.match(answer, /^registry\.example\.com\.\s+10\s+IN\s+SOA/m)
    }
    assert.match(await dig(DOMAIN, 'SOA'), /status: NOERROR(.|\n)*ANSWER: 1/)
    assert.match(await dig(`shop.${DOMAIN}`, 'ANY', '+notcp'), /HINFO\s+"RFC8482"/)
  },
)

test('REFUSED: every other name, and a transfer', withDig, async (t) => {
  const dig = await serve(t, NOTHING)
  for (const question of [['example.com'], ['management.azure.com'], ['.', 'NS']]) {
    assert.match(await dig(...question), /status: REFUSED(.|\n)*ANSWER: 0/)
  }
  assert.match(await dig(DOMAIN, 'AXFR'), /Transfer failed/)
})

test('beyond loopback clients of other prefixes are refused', withDig, async (t) => {
  const { port, close } = await takenPort('127.0.0.2')
  await close()
  const listeners = [{ address: '127.0.0.2', port, allowedClients: ['127.0.0.3/32'] }]
  const asked = { port: 0, isPortAsked: false, listeners }
  const names = await serveNamesOnHost({ dns: dnsOver(NOTHING), asked, clock, log })
  t.after(() => names.close())
  const dig = (from: string, ...args: readonly string[]) =>
    run('dig', ['@127.0.0.2', '-p', `${port}`, '-b', from, '+tries=1', '+time=5', ...args])
  assert.match(succeeded(await dig('127.0.0.3', `shop.${DOMAIN}`)), /status: NOERROR/)
  assert.match(succeeded(await dig('127.0.0.4', `shop.${DOMAIN}`)), /status: REFUSED/)
  assert.match(succeeded(await dig('127.0.0.3', '+tcp', `shop.${DOMAIN}`)), /status: NOERROR/)
  assert.notEqual((await dig('127.0.0.4', '+tcp', `shop.${DOMAIN}`)).code, 0)
})

test('a port that is taken is a refusal where somebody asked for it, and told where nobody did', async (t) => {
  const { port, close } = await takenPort('127.0.0.1')
  t.after(close)
  const [dns, listeners] = [dnsOver(NOTHING), []]
  await assert.rejects(
    serveNamesOnHost({ dns, asked: { port, isPortAsked: true, listeners }, clock, log }),
    { name: 'CannotStart', message: /Port \d+ is taken: give 'names\.port'/ },
  )
  const asked = { port, isPortAsked: false, listeners }
  const names = await serveNamesOnHost({ dns, asked, clock, log })
  t.after(() => names.close())
  assert.deepEqual(names.sockets, [])
  assert.deepEqual(names.unavailable, {
    cause: `Port ${port} is taken.`,
    cure: "Give 'names.port' in the configuration file another number, or 0 for a free one.",
  })
})

test('a port that is taken for UDP alone is taken', async (t) => {
  const udp = createSocket('udp4').bind({ address: '127.0.0.1', port: 0, exclusive: true })
  await once(udp, 'listening')
  t.after(() => new Promise<void>((resolve) => udp.close(resolve)))
  const asked = { port: udp.address().port, isPortAsked: true, listeners: [] }
  await assert.rejects(serveNamesOnHost({ dns: dnsOver(NOTHING), asked, clock, log }), /is taken/)
})

/** A port that is taken until `close`. */
async function takenPort(address: string) {
  const server = createServer().listen(0, address)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, close: () => new Promise<void>((resolve) => server.close(() => resolve())) }
}

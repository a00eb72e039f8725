import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import packet from 'dns-packet'
import { needs } from '../../test/support/needs.ts'
import { run, succeeded } from '../../test/support/run.ts'
import { createDnsServer } from './dns-server.ts'
import { REGISTRY_NAMES, zone, zonesOf } from './names-for-tests.ts'
import { createResolver } from './resolver.ts'
import type { RecordSet } from './zone-source.ts'

const log = { debug() {}, warn() {}, error() {} }
const withDig = needs('dig')

const many: RecordSet = {
  type: 'A',
  ttl: 10,
  values: Array.from({ length: 100 }, (_, index) => `10.1.0.${index}`),
}
const privatelink = (address: string) =>
  zone('privatelink.azurecr.io', {
    myregistry: [{ type: 'A', ttl: 10, values: [address] }],
    many: [many],
    mail: [{ type: 'MX', ttl: 60, values: ['10 mx.privatelink.azurecr.io'] }],
    _sip: [{ type: 'SRV', ttl: 60, values: ['1 5 5060 sip.privatelink.azurecr.io'] }],
    text: [{ type: 'TXT', ttl: 60, values: [`"a \\"quoted\\" word" "${'x'.repeat(300)}"`] }],
    six: [{ type: 'AAAA', ttl: 60, values: ['fd00::7', '::ffff:10.0.0.1'] }],
  })

/** A UDP socket and a TCP listener on the same free port of loopback, as `dig` wants them. */
async function openSockets() {
  for (;;) {
    const tcp = createServer().listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const { port } = tcp.address() as AddressInfo
    const udp = createSocket('udp4').bind(port, '127.0.0.1')
    try {
      await once(udp, 'listening')
      return { port, tcp, udp }
    } catch {
      // Somebody else has the same port for UDP.
      tcp.close()
    }
  }
}

/** A name server on loopback that answers as for one place. */
async function serve(t: TestContext, place = 'net') {
  const zones = zonesOf({ net: [privatelink('10.0.0.7')] })
  const names = REGISTRY_NAMES
  const server = createDnsServer({ resolver: createResolver({ zones, names }), zones, names, log })
  const { port, tcp, udp } = await openSockets()
  const closables = [server.serveUdp(udp, place), server.serveTcp(tcp, place)]
  t.after(() => Promise.all(closables.map((closable) => closable.close())))

  const dig = async (...args: readonly string[]) =>
    succeeded(await run('dig', ['@127.0.0.1', '-p', `${port}`, '+tries=1', '+time=5', ...args]))
  return { port, zones, dig }
}

/** Sends datagrams and returns the first answer. */
async function ask(port: number, ...messages: readonly Uint8Array[]): Promise<Buffer> {
  const socket = createSocket('udp4')
  try {
    for (const message of messages) socket.send(message, port, '127.0.0.1')
    const [answer] = await once(socket, 'message', { signal: AbortSignal.timeout(5000) })
    return answer
  } finally {
    socket.close()
  }
}

const query = (name: string, type: packet.RecordType = 'A', more: packet.Packet = {}) =>
  packet.encode({ type: 'query', id: 4711, flags: 0x0100, questions: [{ name, type }], ...more })

const rcodeOf = (answer: Buffer): number => answer.readUInt16BE(2) & 0xf

/** The answer section as dig prints it, white space made single. */
const lines = (output: string) =>
  output
    .trim()
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' '))

test("inside the network, dig prints the article's two lines", withDig, async (t) => {
  const { dig } = await serve(t)
  assert.deepEqual(lines(await dig('+noall', '+answer', 'myregistry.azurecr.io')), [
    'myregistry.azurecr.io. 3600 IN CNAME myregistry.privatelink.azurecr.io.',
    'myregistry.privatelink.azurecr.io. 10 IN A 10.0.0.7',
  ])
})

test('outside, dig prints the public chain, in one datagram without EDNS', withDig, async (t) => {
  const { dig } = await serve(t, 'internet')
  const output = await dig('+noall', '+answer', '+noedns', '+ignore', 'myregistry.azurecr.io')
  assert.deepEqual(lines(output), [
    'myregistry.azurecr.io. 3600 IN CNAME myregistry.privatelink.azurecr.io.',
    'myregistry.privatelink.azurecr.io. 3600 IN CNAME xxxx.xx.azcr.io.',
    'xxxx.xx.azcr.io. 300 IN CNAME xxxx-xxx-reg.trafficmanager.net.',
    'xxxx-xxx-reg.trafficmanager.net. 300 IN CNAME xxxx.westeurope.cloudapp.azure.com.',
    'xxxx.westeurope.cloudapp.azure.com. 10 IN A 20.45.122.144',
  ])
})

test(
  'a name that the zone lacks is NXDOMAIN with its SOA, and authoritative',
  withDig,
  async (t) => {
    const { dig } = await serve(t)
    const output = await dig('+noall', '+comments', '+authority', 'gone.privatelink.azurecr.io')
    assert.match(output, /status: NXDOMAIN/)
    assert.match(output, /flags: qr aa rd ra;/)
    assert.match(
      output,
      /^privatelink\.azurecr\.io\.\s+10\s+IN\s+SOA\s+azureprivatedns\.net\. azureprivatedns-host\.microsoft\.com\. 1 3600 300 2419200 10$/m,
    )
  },
)

test('AAAA is NOERROR with the chain and the SOA of the private zone', withDig, async (t) => {
  const { dig } = await serve(t)
  const output = await dig('AAAA', 'myregistry.azurecr.io')
  assert.match(output, /status: NOERROR/)
  assert.match(output, /CNAME\s+myregistry\.privatelink\.azurecr\.io\./)
  assert.match(output, /^privatelink\.azurecr\.io\.\s+10\s+IN\s+SOA/m)
})

test('records of every type read as they were written', withDig, async (t) => {
  const { dig } = await serve(t)
  const short = async (type: string, name: string) =>
    (await dig('+short', type, `${name}.privatelink.azurecr.io`)).trim()
  assert.equal(await short('MX', 'mail'), '10 mx.privatelink.azurecr.io.')
  assert.equal(await short('SRV', '_sip'), '1 5 5060 sip.privatelink.azurecr.io.')
  assert.equal(await short('AAAA', 'six'), 'fd00::7\n::ffff:10.0.0.1')
  assert.equal(
    await short('TXT', 'text'),
    `"a \\"quoted\\" word" "${'x'.repeat(255)}" "${'x'.repeat(45)}"`,
  )
})

test('the question comes back byte for byte, and the answer in its case', withDig, async (t) => {
  const { dig } = await serve(t)
  const output = await dig('MyRegistry.PRIVATELINK.azurecr.IO')
  assert.match(output, /^;MyRegistry\.PRIVATELINK\.azurecr\.IO\.\s+IN\s+A$/m)
  assert.match(output, /^MyRegistry\.PRIVATELINK\.azurecr\.IO\.\s+10\s+IN\s+A\s+10\.0\.0\.7$/m)
})

test('EDNS is answered only where it was asked for', withDig, async (t) => {
  const { dig } = await serve(t)
  assert.match(await dig('myregistry.azurecr.io'), /EDNS: version: 0, flags:; udp: 1232/)
  assert.match(
    await dig('+dnssec', '+cd', 'myregistry.azurecr.io'),
    /flags: qr rd ra cd;[\s\S]*flags: do; udp/,
  )
  assert.doesNotMatch(await dig('+noedns', 'myregistry.azurecr.io'), /EDNS/)
})

test('a later version of EDNS is BADVERS', withDig, async (t) => {
  const { dig } = await serve(t)
  assert.match(await dig('+edns=1', '+noednsneg', 'myregistry.azurecr.io'), /status: BADVERS/)
})

test('an answer too large for a datagram is cut, and whole by TCP', withDig, async (t) => {
  const { dig } = await serve(t)
  const cut = await dig('+ignore', 'many.privatelink.azurecr.io')
  assert.match(cut, /flags: qr aa tc rd ra; QUERY: 1, ANSWER: 0, AUTHORITY: 0/)
  assert.equal(lines(await dig('+short', 'many.privatelink.azurecr.io')).length, 100)
})

test('zone transfers are refused', withDig, async (t) => {
  const { dig } = await serve(t)
  assert.match(await dig('AXFR', 'privatelink.azurecr.io'), /Transfer failed/)
  assert.match(await dig('CH', 'TXT', 'version.bind'), /status: REFUSED/)
})

test('ANY is answered with one HINFO', withDig, async (t) => {
  const { dig } = await serve(t)
  assert.match(await dig('+notcp', 'ANY', 'myregistry.azurecr.io'), /HINFO\s+"RFC8482" ""/)
})

test('a change shows in the next answer', async (t) => {
  const { port, zones } = await serve(t)
  const name = 'myregistry.privatelink.azurecr.io'
  const addresses = async () => packet.decode(await ask(port, query(name))).answers
  const record = { name, type: 'A', class: 'IN', ttl: 10, flush: false } as const
  assert.deepEqual(await addresses(), [{ ...record, data: '10.0.0.7' }])
  zones.places = { net: [privatelink('10.0.0.8')] }
  zones.version += 1
  assert.deepEqual(await addresses(), [{ ...record, data: '10.0.0.8' }])
})

test('a cached answer carries the id and the flags of its own query', async (t) => {
  const { port } = await serve(t)
  const name = 'myregistry.privatelink.azurecr.io'
  await ask(port, query(name))
  const answer = await ask(port, query(name, 'A', { id: 12, flags: 0x0010 }))
  assert.equal(answer.readUInt16BE(0), 12)
  assert.equal(answer.readUInt16BE(2), 0x8490)
})

test('garbage and answers are ignored, the query after them is not', async (t) => {
  const { port } = await serve(t)
  const answer = await ask(
    port,
    Buffer.alloc(0),
    Buffer.from('garbage'),
    packet.encode({
      type: 'response',
      id: 1,
      questions: [{ name: 'myregistry.azurecr.io', type: 'A' }],
    }),
    query('myregistry.azurecr.io'),
  )
  assert.equal(answer.readUInt16BE(0), 4711)
})

const header = (flags: number, questions: number, additional = 0) =>
  Buffer.from([0x12, 0x67, flags >> 8, flags & 255, 0, questions, 0, 0, 0, 0, 0, additional])
const ROOT_QUESTION = Buffer.from([0, 0, 1, 0, 1])
const OPT = Buffer.from([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0])

for (const [what, message, rcode] of [
  ['FORMERR: no question', header(0x0100, 0), 1],
  ['FORMERR: two questions', Buffer.concat([header(0x0100, 2), ROOT_QUESTION, ROOT_QUESTION]), 1],
  ['FORMERR: a question cut short', Buffer.concat([header(0x0100, 1), Buffer.from([5, 97])]), 1],
  [
    'FORMERR: a compressed question',
    Buffer.concat([header(0x0100, 1), Buffer.from([0xc0, 12, 0, 1, 0, 1])]),
    1,
  ],
  ['FORMERR: two OPT records', Buffer.concat([header(0x0100, 1, 2), ROOT_QUESTION, OPT, OPT]), 1],
  ['FORMERR: a record that is not there', Buffer.concat([header(0x0100, 1, 1), ROOT_QUESTION]), 1],
  ['NOTIMP: UPDATE', header(0x2800, 1), 4],
  ['NOTIMP: NOTIFY', header(0x2000, 1), 4],
] as const) {
  test(what, async (t) => {
    const { port } = await serve(t)
    const answer = await ask(port, message)
    assert.equal(answer.readUInt16BE(0), 0x1267)
    assert.equal(rcodeOf(answer), rcode)
  })
}

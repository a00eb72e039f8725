import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import tls from 'node:tls'
import { pino } from 'pino'
import { type Cleanup, hostFrontFor, temporaryFolder } from './front-for-tests.ts'
import { issueAuthority, issueLeaf, type KeyedCertificate } from './issue-certificate.ts'
import { openOwnCertificates } from './own-certificates.ts'

const NAME = 'shop.registry.example.com'
const EXPIRED = { days: -1 }

/** An authority of somebody else, and a folder with the files of one certificate of it. */
async function operator(t: Cleanup) {
  const folder = await temporaryFolder(t)
  const domains = ['registry.example.com']
  const authority = await issueAuthority('Operator', {
    domains,
    excludedDomains: [],
    addresses: [],
  })
  const files = { chainFile: join(folder, 'chain.pem'), keyFile: join(folder, 'key.pem') }
  const issue = (name: string, life?: { readonly days: number }) =>
    issueLeaf(authority, { domains: [name], addresses: [] }, life)
  const write = async ({ certificate, key }: KeyedCertificate) => {
    await writeFile(files.chainFile, certificate)
    await writeFile(files.keyFile, key)
  }
  return { files, issue, write, ca: authority.certificate }
}

/** The log as text, and a promise for its next line. */
function listeningLog() {
  const { promise, resolve } = Promise.withResolvers<string>()
  return { log: pino({}, { write: resolve }), line: promise }
}

const serialOf = (socket: tls.TLSSocket): string => socket.getPeerCertificate().serialNumber

function connect(port: number, ca: string): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port, servername: NAME, ca })
    socket.once('secureConnect', () => resolve(socket)).once('error', reject)
  })
}

/** The status of one request on a connection that stays open. */
function ask(socket: tls.TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('data', (data) => resolve(String(data).slice(9, 12)))
    socket.write(`GET /v2/ HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`)
  })
}

test("the operator's certificate is shown for its names, and another one as soon as the files change", async (t) => {
  const { files, issue, write, ca } = await operator(t)
  await write(await issue('*.registry.example.com'))
  const { log, line } = listeningLog()
  const certificates = await openOwnCertificates([files], { log, checkedEveryMs: 20 })
  t.after(async () => certificates.close())
  const { port } = await hostFrontFor(t, { registryDomain: 'registry.example.com', certificates })

  const before = await connect(port, ca)
  t.after(async () => void before.destroy())
  await write(await issue('*.registry.example.com'))
  assert.match(await line, /certificate replaced/)
  const after = await connect(port, ca)
  t.after(async () => void after.destroy())
  assert.notEqual(serialOf(after), serialOf(before))
  assert.deepEqual([await ask(before), await ask(after)], ['200', '200'])
})

for (const [title, spoil, words] of [
  ['a damaged certificate', async () => ({ certificate: 'nothing', key: '' }), /not used/],
  [
    'one with the key of another',
    async ({ issue }) => ({ ...(await issue(NAME)), key: (await issue(NAME)).key }),
    /the key belongs to another certificate/,
  ],
  ['one that has expired', ({ issue }) => issue(NAME, EXPIRED), /not used.*it expired on \d{4}-/],
] as readonly [
  string,
  (by: Awaited<ReturnType<typeof operator>>) => Promise<KeyedCertificate>,
  RegExp,
][]) {
  test(`${title} is told, and the one before stays`, async (t) => {
    const by = await operator(t)
    await by.write(await by.issue(NAME))
    const { log, line } = listeningLog()
    const certificates = await openOwnCertificates([by.files], { log, checkedEveryMs: 20 })
    t.after(async () => certificates.close())
    const context = certificates.certificateFor(NAME)
    const spoiled = await spoil(by)
    await writeFile(by.files.keyFile, spoiled.key)
    await writeFile(by.files.chainFile, spoiled.certificate)
    assert.match(await line, /needs attention/)
    await untilTold(() => words.test(certificates.list()[0]?.problem ?? ''))
    assert.equal(certificates.certificateFor(NAME), context)
  })
}

/** Both files are written one after the other, and the watch may see them so. */
async function untilTold(isTold: () => boolean): Promise<void> {
  while (!isTold()) await new Promise((resolve) => setImmediate(resolve))
}

test('one that has expired already is served, and told', async (t) => {
  const { files, issue, write } = await operator(t)
  await write(await issue(NAME, EXPIRED))
  const { log, line } = listeningLog()
  const certificates = await openOwnCertificates([files], { log })
  t.after(async () => certificates.close())
  assert.match(await line, /it expired on/)
  assert.ok(certificates.certificateFor(NAME))
  const [status] = certificates.list()
  assert.deepEqual(status?.names, [NAME])
  assert.match(status?.problem ?? '', /it expired on/)
})

test('of several the first that has the name is shown; wildcards reach one label', async (t) => {
  const [one, other] = [await operator(t), await operator(t)]
  await one.write(await one.issue('*.registry.example.com'))
  await other.write(await other.issue('*.westeurope.data.registry.example.com'))
  const log = pino({ level: 'silent' })
  const certificates = await openOwnCertificates([one.files, other.files], { log })
  t.after(async () => certificates.close())
  const login = certificates.certificateFor('shop.registry.example.com')
  const data = certificates.certificateFor('shop.westeurope.data.registry.example.com')
  assert.ok(login && data && login !== data)
  assert.equal(certificates.certificateFor('shop.eastus.data.registry.example.com'), undefined)
})

test('a certificate that cannot be used at all keeps the server from starting', async (t) => {
  const { files } = await operator(t)
  await assert.rejects(openOwnCertificates([files], { log: pino({ level: 'silent' }) }), {
    name: 'CannotStart',
    message: /chain\.pem with the key .* cannot be used: ENOENT.* Mend or remove that entry/,
  })
})

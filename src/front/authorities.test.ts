import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { openAuthorities } from './authorities.ts'
import { temporaryFolder } from './front-for-tests.ts'
import { issueLeaf } from './issue-certificate.ts'

const run = promisify(execFile)
const OPTIONS = { registryDomain: 'azurecr.io' }

/** Undefined where OpenSSL is not installed; otherwise what it says of the leaf under the strictest rules. */
async function verify(authorityFile: string, leafFile: string): Promise<string | undefined> {
  try {
    const arguments_ = ['verify', '-x509_strict', '-purpose', 'sslserver']
    return (await run('openssl', [...arguments_, '-CAfile', authorityFile, leafFile])).stdout
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    return String(error)
  }
}

test('authorities and their leaves are the same after a restart', async (t) => {
  const folder = await temporaryFolder(t)
  const first = await openAuthorities(folder, OPTIONS)
  const leaf = (await first.place.leafFor('shop.azurecr.io')).pem
  const again = await openAuthorities(folder, OPTIONS)
  assert.equal((await again.place.leafFor('shop.azurecr.io')).pem, leaf)
})

test('a name is issued once, however many ask at the same time', async (t) => {
  const { place } = await openAuthorities(await temporaryFolder(t), OPTIONS)
  const asked = Array.from({ length: 5 }, () => place.leafFor('shop.azurecr.io'))
  assert.equal(new Set(await Promise.all(asked)).size, 1)
})

test('private keys are readable by their owner alone, certificates by everybody', async (t) => {
  const folder = await temporaryFolder(t)
  const { place, host, placeBundle } = await openAuthorities(folder, OPTIONS)
  await place.leafFor('shop.azurecr.io')
  const modeOf = async (file: string) => (await stat(file)).mode & 0o777
  for (const file of ['place-ca.json', 'host-ca.json', 'place-leaves/shop.azurecr.io.pem']) {
    assert.equal(await modeOf(join(folder, file)), 0o600, file)
  }
  for (const file of [place.certificateFile, host.certificateFile, placeBundle]) {
    assert.equal(await modeOf(file), 0o644, file)
    assert.doesNotMatch(await readFile(file, 'utf8'), /PRIVATE/)
  }
})

test('a leaf is a server certificate of at most 398 days, also for a very long name', async (t) => {
  const folder = await temporaryFolder(t)
  const { place } = await openAuthorities(folder, OPTIONS)
  const name = `${'r'.repeat(50)}.germanywestcentral.data.azurecr.io`
  const leaf = new X509Certificate((await place.leafFor(name)).pem)
  assert.equal(leaf.subjectAltName, `DNS:${name}`)
  const days = (leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / 86_400_000
  assert.ok(days <= 398, `${days} days`)
  const verdict = await verify(place.certificateFile, join(folder, 'place-leaves', `${name}.pem`))
  if (verdict === undefined) return t.skip('openssl is not installed')
  assert.match(verdict, /: OK/)
})

for (const name of [
  'shop.privatelink.azurecr.io',
  'privatelink.azurecr.io',
  'example.com',
  'localhost',
  'xazurecr.io',
  '../shop.azurecr.io',
  '*.azurecr.io',
]) {
  test(`the place authority issues nothing for ${name}`, async (t) => {
    const { place } = await openAuthorities(await temporaryFolder(t), OPTIONS)
    await assert.rejects(place.leafFor(name), { name: 'NameNotCovered' })
  })
}

for (const [names, why] of [
  [{ domains: ['example.com'], addresses: [] }, /permitted subtree violation/],
  [{ domains: ['shop.privatelink.azurecr.io'], addresses: [] }, /excluded subtree violation/],
  [{ domains: ['shop.azurecr.io'], addresses: ['10.0.0.7'] }, /excluded subtree violation/],
] as const) {
  test(`clients refuse a certificate of the place authority for ${JSON.stringify(names)}`, async (t) => {
    const folder = await temporaryFolder(t)
    const { place } = await openAuthorities(folder, OPTIONS)
    const stolen = JSON.parse(await readFile(join(folder, 'place-ca.json'), 'utf8'))
    const leafFile = join(folder, 'foreign.pem')
    await writeFile(leafFile, (await issueLeaf(stolen, names)).certificate)
    const verdict = await verify(place.certificateFile, leafFile)
    if (verdict === undefined) return t.skip('openssl is not installed')
    assert.match(verdict, why)
  })
}

test('another registry domain gets another place authority, and leaves of the old are not used', async (t) => {
  const folder = await temporaryFolder(t)
  const before = await openAuthorities(folder, OPTIONS)
  const login = (await before.place.leafFor('management.azure.com')).pem
  const own = await openAuthorities(folder, { registryDomain: 'registry.example.com' })
  await own.place.leafFor('shop.registry.example.com')
  await assert.rejects(own.place.leafFor('shop.azurecr.io'), { name: 'NameNotCovered' })
  assert.notEqual((await own.place.leafFor('management.azure.com')).pem, login)
  assert.match(await readFile(own.placeBundle, 'utf8'), /BEGIN CERTIFICATE/)
})

test("the host's authority signs localhost and the operator's names, and never a cloud's", async (t) => {
  const covered = async (registryDomain: string, hostNames: readonly string[], name: string) => {
    const { host } = await openAuthorities(await temporaryFolder(t), { registryDomain, hostNames })
    return host.leafFor(name).then(
      () => true,
      (error) => {
        assert.equal(error.name, 'NameNotCovered')
        return false
      },
    )
  }
  assert.equal(await covered('azurecr.io', [], 'shop.localhost'), true)
  assert.equal(await covered('azurecr.io', [], 'shop.azurecr.io'), false)
  assert.equal(await covered('azurecr.cn', [], 'shop.azurecr.cn'), false)
  assert.equal(await covered('registry.example.com', [], 'shop.registry.example.com'), true)
  assert.equal(await covered('registry.example.com', [], 'privatelink.registry.example.com'), false)
  assert.equal(await covered('registry.example.com', [], 'causeway.example.com'), false)
  assert.equal(
    await covered('registry.example.com', ['causeway.example.com'], 'causeway.example.com'),
    true,
  )
})

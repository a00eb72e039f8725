import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { rootCertificates } from 'node:tls'
import { issueAuthority } from '../front/issue-certificate.ts'
import { exists } from '../lib/exists.ts'
import { trust } from './machine-trust.ts'
import { readTrustAnchor, Untrustworthy } from './trust-anchor.ts'

const CONSTRAINTS = {
  domains: ['localhost', 'registry.example'],
  excludedDomains: [],
  addresses: ['127.0.0.1'],
}

test('an authority is shown with all that it may sign', async () => {
  const { certificate } = await issueAuthority('An authority', CONSTRAINTS)
  const { subject, permitted } = readTrustAnchor(certificate)
  assert.equal(subject, 'CN=An authority, O=Causeway')
  assert.deepEqual(permitted, ['localhost', 'registry.example', '127.0.0.1/32'])
})

test('an authority that could sign every name is not to be trusted', () => {
  const [ofTheWeb = ''] = rootCertificates
  assert.throws(() => readTrustAnchor(ofTheWeb), Untrustworthy)
})

test('a tool that fails leaves nothing behind', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-trust-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'causeway.crt')
  const { certificate } = await issueAuthority('An authority', CONSTRAINTS)
  const asked: string[] = []
  const store = {
    file,
    take: async () => assert.fail('no space'),
    leave: async () => void asked.push('leave'),
  }
  await assert.rejects(trust(store, certificate), /no space/)
  assert.equal(await exists(file), false)
  assert.deepEqual(asked, ['leave'])
})

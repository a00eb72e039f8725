import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openKeys } from './keys.ts'
import { createSealer } from './sealer.ts'

async function temporaryFolder(t: { after(hook: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-keys-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'keys')
}

test('keys are made once, also when two open them at the same time', async (t) => {
  const folder = await temporaryFolder(t)
  const [one, two] = await Promise.all([openKeys(folder), openKeys(folder)])
  assert.equal(one.signing.kid, two.signing.kid)
  assert.deepEqual((await openKeys(folder)).urlKey, one.urlKey)
})

test('keys are readable by their owner alone', async (t) => {
  const folder = await temporaryFolder(t)
  await openKeys(folder)
  assert.equal((await stat(folder)).mode & 0o777, 0o700)
  assert.equal((await stat(join(folder, 'keys.json'))).mode & 0o777, 0o600)
})

test('a damaged key file is refused by name and left alone', async (t) => {
  const folder = await temporaryFolder(t)
  await openKeys(folder)
  await writeFile(join(folder, 'keys.json'), '{"signing":"gone"}')
  await assert.rejects(openKeys(folder), /keys\.json cannot be used/)
})

test('a sealed text opens with its key only, and not after a change', async (t) => {
  const keys = await openKeys(await temporaryFolder(t))
  const sealer = createSealer(keys.sealing)
  const sealed = sealer.seal('pässword')
  assert.equal(sealer.unseal(sealed), 'pässword')
  assert.notEqual(sealer.seal('pässword'), sealed)
  assert.throws(() => createSealer(keys.tokenKey).unseal(sealed))
  assert.throws(() => sealer.unseal(`${sealed.slice(0, -2)}AA`))
  assert.throws(() => sealer.unseal('pässword'))
})

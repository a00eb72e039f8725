import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { CannotStart } from '../lib/cannot-start.ts'
import { openVaultSecrets } from './open-vault-secrets.ts'

const ID = 'https://vault.vault.azure.net/secrets/password'

async function open(t: TestContext, text: string, mode = 0o600) {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-vault-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'secrets.yaml')
  await writeFile(file, text)
  await chmod(file, mode)
  const logged: unknown[] = []
  const secrets = await openVaultSecrets(file, {
    error: (event: unknown) => void logged.push(event),
  })
  return { file, secrets, logged }
}

test('a secret is found by its name, with a version or without', async (t) => {
  const { secrets } = await open(t, `${ID}: open sesame\n`)
  assert.equal(await secrets.valueOf(ID), 'open sesame')
  assert.equal(await secrets.valueOf(`${ID.replace('/password', '/Password')}/`), 'open sesame')
  assert.equal(await secrets.valueOf(`${ID}/${'0'.repeat(32)}`), 'open sesame')
  assert.equal(await secrets.valueOf(`${ID}2`), undefined)
})

test('a version may have a value of its own', async (t) => {
  const { secrets } = await open(
    t,
    JSON.stringify({ [ID]: 'new', [`${ID}/${'a'.repeat(32)}`]: 'old' }),
  )
  assert.equal(await secrets.valueOf(`${ID}/${'a'.repeat(32)}`), 'old')
  assert.equal(await secrets.valueOf(`${ID}/${'b'.repeat(32)}`), 'new')
})

test('the file is read again when it has changed; one that is broken changes nothing', async (t) => {
  const { file, secrets, logged } = await open(t, `${ID}: one\n`)
  const rewrite = async (text: string, seconds: number) => {
    await writeFile(file, text)
    // As if it were written later, however coarse the clock of the file system is.
    await utimes(file, seconds, seconds)
  }
  await rewrite(`${ID}: two\n`, 1_000_000)
  assert.equal(await secrets.valueOf(ID), 'two')
  await rewrite('- nothing\n', 2_000_000)
  assert.equal(await secrets.valueOf(ID), 'two')
  assert.equal(await secrets.valueOf(ID), 'two')
  assert.equal(logged.length, 1)
  await rm(file)
  assert.equal(await secrets.valueOf(ID), 'two')
})

test('without a file there are no secrets', async () => {
  const secrets = await openVaultSecrets(undefined, { error: () => undefined })
  assert.equal(await secrets.valueOf(ID), undefined)
})

for (const [what, text, mode] of [
  ['is open to everybody', `${ID}: open sesame\n`, 0o604],
  ['is no mapping', '- open sesame\n', 0o600],
  ['is no YAML', '"open sesame', 0o600],
  ['has a name that is none', 'password: open sesame\n', 0o600],
  ['has a value that is no text', `${ID}: [open sesame]\n`, 0o600],
] as const) {
  test(`a file that ${what} is refused, and not quoted`, async (t) => {
    await assert.rejects(open(t, text, mode), (error: unknown) => {
      assert.ok(error instanceof CannotStart)
      assert.doesNotMatch(error.message, /open sesame/)
      return true
    })
  })
}

test('a file that is not there is refused', async () => {
  await assert.rejects(
    openVaultSecrets('/nowhere/secrets.yaml', { error: () => undefined }),
    CannotStart,
  )
})

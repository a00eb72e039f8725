import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createPrincipals } from '../identity/principals.ts'
import { createSealer } from '../identity/sealer.ts'
import { systemClock } from '../lib/clock.ts'
import { openDatabase } from '../storage/database.ts'
import { createProgramHomes, type ProgramHomes } from './program-homes.ts'

const USER = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

/** Homes of programs of which those in `running` run; `restart` is the server's end and its next start. */
async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-homes-'))
  const [clients, run] = [join(folder, 'clients'), join(folder, 'run')]
  for (const part of [clients, run]) await mkdir(part)
  const database = await openDatabase(join(folder, 'causeway.db'))
  t.after(async () => {
    await database.close()
    await rm(folder, { recursive: true })
  })
  const running = new Set<string>()
  let homes: ProgramHomes
  const isAwake = (owner: string) => homes.isAwake(owner)
  const principals = createPrincipals({ database, clock: systemClock, isAwake })
  const sealer = createSealer(Buffer.alloc(32, 7))
  const restart = async () => {
    homes = createProgramHomes({ clients, run, principals, sealer, running: () => [...running] })
    await homes.adopt()
    return homes
  }
  homes = await restart()
  const { principal } = await principals.create('owner')
  const isGood = async (secret: string) =>
    (await principals.authenticate(principal.appId, secret)) !== undefined
  return { homes, run, running, principal, principals, isGood, restart }
}

test('credentials are good while a program of their home runs, and good again in the next', async (t) => {
  const { homes, running, principal, isGood } = await setUp(t)
  running.add('first')
  const { path, clientSecret } = await homes.open('first', principal, USER)
  assert.equal(await isGood(clientSecret), true)

  running.delete('first')
  await homes.tidy()
  assert.equal(await isGood(clientSecret), false)

  running.add('second')
  assert.deepEqual(await homes.open('second', principal, USER), { path, clientSecret })
  assert.equal(await isGood(clientSecret), true)
})

test('a program of one principal wakes nobody else', async (t) => {
  const { homes, running, principal, principals, isGood } = await setUp(t)
  const { principal: other } = await principals.create('other')
  running.add('first')
  const { clientSecret } = await homes.open('first', principal, USER)
  running.delete('first')
  running.add('second')
  await homes.open('second', other, USER)
  assert.equal(await isGood(clientSecret), false)
})

test('a server that was ended finds again which programs run where', async (t) => {
  const { homes, running, principal, isGood, restart } = await setUp(t)
  running.add('first')
  const { clientSecret } = await homes.open('first', principal, USER)
  await restart()
  assert.equal(await isGood(clientSecret), true)
  running.delete('first')
  assert.equal(await isGood(clientSecret), false)
})

test('a note that is being written is left to its program, and removed when that is gone', async (t) => {
  const { homes, run, running } = await setUp(t)
  await writeFile(join(run, 'program-first.0a1b2c.draft'), '')
  running.add('first')
  await homes.tidy()
  assert.deepEqual(await readdir(run), ['program-first.0a1b2c.draft'])
  running.delete('first')
  await homes.tidy()
  assert.deepEqual(await readdir(run), [])
})

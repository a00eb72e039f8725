import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { replaceFile } from '../lib/durable-file.ts'
import { type DataFolder, makeDataFolder, openInstallation } from '../storage/data-folder.ts'
import { type Database, openDatabase } from '../storage/database.ts'
import { backUp } from './backup.ts'
import { restore } from './restore.ts'

describe('backup and restore', () => {
  let root: string
  let folder: DataFolder
  let database: Database
  let file: string

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'causeway-care-'))
    folder = await makeDataFolder(join(root, 'data'))
    await openInstallation(folder)
    database = await openDatabase(folder.database)
    await mkdir(join(folder.blobs, 'blobs', 'sha256'), { recursive: true })
    await writeFile(join(folder.blobs, 'blobs', 'sha256', 'ab'), 'content')
    await writeFile(join(folder.keys, 'keys.json'), '{}', { mode: 0o600 })
    await writeFile(join(folder.clients, 'somebody'), 'their own')
    file = join(root, 'backup.tar')
    await database.kysely.insertInto('provider_registrations').values(REGISTERED).execute()
    await backUp(folder, file)
  })
  after(async () => {
    await database.close()
    await rm(root, { recursive: true })
  })

  test('an archive that was made while the database is open is whole, and for its owner alone', async () => {
    const target = join(root, 'restored')
    await restore(file, target)
    const again = await openDatabase(join(target, 'causeway.db'))
    const rows = again.reader.prepare('SELECT count(*) AS count FROM provider_registrations').get()
    await again.close()
    assert.equal(rows?.count, 1)
    assert.equal(await readFile(join(target, 'registry/blobs/sha256/ab'), 'utf8'), 'content')
    for (const [part, mode] of [
      ['keys/keys.json', 0o600],
      ['causeway.db', 0o600],
      ['registry', 0o700],
    ] as const) {
      assert.equal((await stat(join(target, part))).mode & 0o777, mode, part)
    }
    assert.equal((await stat(file)).mode & 0o777, 0o600)
  })

  test('a file that is there already is not overwritten', async () => {
    const size = (await stat(file)).size
    await assert.rejects(backUp(folder, file), { name: 'BackupExists' })
    assert.equal((await stat(file)).size, size)
    assert.deepEqual(
      (await readdir(root)).filter((name) => name.endsWith('.draft')),
      [],
    )
  })

  test('an archive that is made amid writes is whole, and has what was written before', async () => {
    const busy = join(root, 'busy.tar')
    const isDone = new AbortController()
    const writing = (async () => {
      for (let number = 0; !isDone.signal.aborted; number += 1) {
        const row = { ...REGISTERED, namespace_key: `busy-${number}` }
        await database.kysely.insertInto('provider_registrations').values(row).execute()
        await replaceFile(join(folder.authorities, 'leaf.json'), String(number))
      }
    })()
    await backUp(folder, busy).finally(() => isDone.abort())
    await writing
    const target = join(root, 'busy')
    await restore(busy, target)
    const copy = new DatabaseSync(join(target, 'causeway.db'), { readOnly: true })
    const rows = copy.prepare('SELECT count(*) AS count FROM provider_registrations').get()
    copy.close()
    assert.ok(Number(rows?.count) >= 1)
    await Promise.all([rm(target, { recursive: true }), rm(busy)])
  })

  test('what belongs to people and to the machine stays out', () => {
    const entries = execFileSync('tar', ['--list', '--file', file], { encoding: 'utf8' })
    assert.doesNotMatch(entries, /clients|run|logs|places/)
  })

  test('a folder that has something in it is left as it is', async () => {
    await assert.rejects(restore(file, folder.path), {
      name: 'NotRestorable',
      message: /not empty/,
    })
    await access(folder.database)
  })

  for (const [what, make] of [
    ['a file that is no archive', (path: string) => writeFile(path, 'no archive at all')],
    ['an archive of something else', (path: string) => pack(path, 'data/clients')],
    ['an archive that lacks the database', (path: string) => pack(path, 'data/installation.json')],
  ] as const) {
    test(`${what} is refused and nothing is made`, async () => {
      const path = join(root, 'other.tar')
      const target = join(root, 'nowhere')
      await make(path)
      await assert.rejects(restore(path, target), { name: 'NotRestorable' })
      await assert.rejects(access(target), { code: 'ENOENT' })
    })
  }

  async function pack(path: string, name: string): Promise<void> {
    execFileSync('tar', ['--create', '--file', path, '--directory', root, name])
  }
})

const REGISTERED = {
  namespace_key: 'microsoft.containerregistry',
  state: 'Registered',
} as const

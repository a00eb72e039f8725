import { chmod, mkdtemp, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite'
import { exists } from '../lib/exists.ts'
import type { DataFolder } from '../storage/data-folder.ts'
import { ARCHIVED } from './archive.ts'
import { runTar } from './run-tar.ts'

/**
 * Writes everything that a data folder keeps into one archive, also while a server writes to it: first the database as
 * it is at one moment, then the blobs. Whatever that database names is on disk by then, since a push stores blobs
 * first and they are never changed.
 *
 * The file holds keys: only its owner may read it. It is there whole or not at all.
 */
export async function backUp(folder: DataFolder, file: string): Promise<void> {
  const stage = await mkdtemp(join(folder.run, 'backup-'))
  const draft = `${file}.draft`
  try {
    const database = new DatabaseSync(folder.database, { readOnly: true })
    try {
      await copyDatabase(database, join(stage, 'causeway.db'))
    } finally {
      database.close()
    }
    const others = await present(folder.path, ARCHIVED.slice(1))
    const draftFile = await open(draft, 'w', 0o600)
    await draftFile.close()
    await chmod(draft, 0o600)
    await runTar(
      '--create',
      '--file',
      draft,
      '--directory',
      stage,
      'causeway.db',
      '--directory',
      folder.path,
      ...others,
    )
    await sync(draft)
    await rename(draft, file)
    await sync(dirname(file))
  } finally {
    await rm(stage, { recursive: true })
    await rm(draft, { force: true })
  }
}

async function present(folder: string, names: readonly string[]): Promise<readonly string[]> {
  const isThere = await Promise.all(names.map((name) => exists(join(folder, name))))
  return names.filter((_, index) => isThere[index])
}

async function sync(path: string): Promise<void> {
  const handle = await open(path)
  await handle.sync().finally(() => handle.close())
}

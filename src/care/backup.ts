import { randomBytes } from 'node:crypto'
import { link, mkdtemp, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { exists } from '../lib/exists.ts'
import { isErrno, syncFolder } from '../lib/files.ts'
import { copyDatabase } from '../storage/copy-database.ts'
import type { DataFolder } from '../storage/data-folder.ts'
import { holdRemovals } from '../storage/removal-lock.ts'
import { ARCHIVED } from './archive.ts'
import { runTar } from './run-tar.ts'

/** The file is there already; it was not touched. */
export class BackupExists extends Error {
  override readonly name = 'BackupExists'
}

/**
 * Writes everything that a data folder keeps into one archive, also while a server writes to it: first the database as
 * it is at one moment, then the blobs. Whatever that database names is on disk by then, since a push stores blobs
 * first, they are never changed, and none is removed meanwhile.
 *
 * The file holds keys: only its owner may read it. It is there whole and durable, or not at all.
 *
 * @throws BackupExists
 */
export async function backUp(folder: DataFolder, file: string): Promise<void> {
  if (await exists(file)) throw new BackupExists(`${file} is there already`)
  const stage = await mkdtemp(join(folder.run, 'backup-'))
  const draft = `${file}.${randomBytes(6).toString('hex')}.draft`
  // What the copy of the database names must be there when its turn comes.
  const removals = holdRemovals(folder)
  try {
    await copyDatabase(folder.database, join(stage, 'causeway.db'))
    const others = await present(folder.path, ARCHIVED.slice(1))
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.chmod(0o600)
      await pack(draft, stage, folder.path, others)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await putInPlace(draft, file)
  } finally {
    removals.release()
    await rm(stage, { recursive: true })
    await rm(draft, { force: true })
  }
}

async function pack(
  archive: string,
  stage: string,
  folder: string,
  others: readonly string[],
): Promise<void> {
  const database = ['--directory', stage, 'causeway.db']
  const rest = ['--directory', folder, ...others]
  // A certificate that is issued meanwhile changes its folder; each file is whole, as it was put there whole.
  await runTar(['--create', '--file', archive, '--exclude=*.draft', ...database, ...rest], {
    mayChangeMeanwhile: true,
  })
}

/** Unlike a renaming, a link never takes the place of something that came meanwhile. */
async function putInPlace(draft: string, file: string): Promise<void> {
  try {
    await link(draft, file)
  } catch (cause) {
    if (!isErrno(cause, 'EEXIST')) throw cause
    throw new BackupExists(`${file} is there already`, { cause })
  }
  await syncFolder(dirname(file))
}

async function present(folder: string, names: readonly string[]): Promise<readonly string[]> {
  const isThere = await Promise.all(names.map((name) => exists(join(folder, name))))
  return names.filter((_, index) => isThere[index])
}

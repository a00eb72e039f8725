import { chmod, lchown, mkdir, mkdtemp, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { syncFolder } from '../lib/files.ts'
import { makeDataFolder } from '../storage/data-folder.ts'
import { refuseNewer } from '../storage/data-too-new.ts'
import { isArchived, REQUIRED } from './archive.ts'
import { isWholeDatabase } from './is-whole-database.ts'
import { NotRestorable } from './not-restorable.ts'
import { runTar } from './run-tar.ts'

/**
 * Makes a data folder from an archive. The folder must not exist, or be empty; it is there whole or not at all.
 *
 * @param owner whose it is to be, where that is not whoever calls; only root can say so
 * @throws NotRestorable, and DataTooNew for the archive of a newer version.
 */
export async function restore(
  file: string,
  dataFolder: string,
  owner?: { readonly uid: number; readonly gid: number },
): Promise<void> {
  const target = resolve(dataFolder)
  await requireVacant(target)
  await requireOurs(file)
  await mkdir(dirname(target), { recursive: true })
  const stage = await mkdtemp(join(dirname(target), `.${basename(target)}-`))
  try {
    await runTar(['--extract', '--file', file, '--directory', stage, '--no-same-owner'])
    const folder = await makeDataFolder(stage)
    await chmod(folder.database, 0o600)
    // The first start will upgrade an older one, and keep a copy.
    await refuseNewer(folder.database)
    if (!isWholeDatabase(folder.database)) {
      throw new NotRestorable(`The database in ${file} is damaged: take another backup.`)
    }
    if (owner) await give(stage, owner)
    await syncTree(stage)
    await rmdir(target).catch(ifAbsent)
    await rename(stage, target)
    await syncFolder(dirname(target))
  } catch (error) {
    await rm(stage, { recursive: true, force: true })
    throw error
  }
}

async function give(folder: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    await lchown(join(folder, name), uid, gid)
  }
  await lchown(folder, uid, gid)
}

/** Waits until everything below a folder is on disk. */
async function syncTree(root: string): Promise<void> {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() || entry.isDirectory()) await syncFolder(join(entry.parentPath, entry.name))
  }
  await syncFolder(root)
}

async function requireVacant(target: string): Promise<void> {
  const entries = await readdir(target).catch((error) => {
    ifAbsent(error)
    return []
  })
  if (entries.length === 0) return
  throw new NotRestorable(
    `${target} is not empty. Name a new folder with --data, or remove this one with 'causeway down --purge'.`,
  )
}

async function requireOurs(file: string): Promise<void> {
  const listing = await runTar(['--list', '--file', file]).catch((error) => {
    throw new NotRestorable(`${file} is not a backup of Causeway.`, { cause: error })
  })
  const entries = listing.trim().split('\n')
  const stranger = entries.find((entry) => !isArchived(entry))
  const missing = REQUIRED.find((name) => !entries.includes(name))
  if (stranger === undefined && missing === undefined) return
  const reason = stranger === undefined ? `it lacks ${missing}` : `it holds '${stranger}'`
  throw new NotRestorable(`${file} is not a backup of Causeway: ${reason}.`)
}

function ifAbsent(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
}

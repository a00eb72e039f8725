import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { syncFolder } from '../lib/files.ts'

/**
 * Writes a database as it is at one moment into a file of its own, also while others write to it. The copy is there
 * whole and durable, or not at all, and readable by its owner alone.
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  const draft = `${to}.draft`
  await rm(draft, { force: true })
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.chmod(0o600)
      vacuumInto(from, draft)
      // SQLite itself does not wait for the disk here.
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, to)
  } finally {
    await rm(draft, { force: true })
  }
  await syncFolder(dirname(to))
}

function vacuumInto(from: string, to: string): void {
  const database = new DatabaseSync(from, { readOnly: true })
  try {
    database.exec('PRAGMA busy_timeout=5000')
    database.prepare('VACUUM INTO ?').run(to)
  } finally {
    database.close()
  }
}

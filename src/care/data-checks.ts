import { X509Certificate } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { DataFolder } from '../storage/data-folder.ts'
import { type Finding, failed, ok, warning } from './finding.ts'

/** What only the owner may read: parts of the folder, and files in parts that others may enter. */
async function secretsOf(folder: DataFolder): Promise<readonly string[]> {
  const { database, keys, blobs, run, backups, logFile, authorities } = folder
  const within = await Promise.all([keys, authorities].map(listFolder))
  return [
    ...[database, keys, blobs, run, backups, dirname(logFile)],
    // Certificates are public, and the keys that sign them are not.
    ...within.flat().filter((path) => !path.endsWith('.pem')),
  ]
}

const listFolder = (folder: string): Promise<readonly string[]> =>
  readdir(folder).then(
    (names) => names.map((name) => join(folder, name)),
    () => [],
  )

/** Whether it belongs to the caller, and whether others can read what they must not. */
export async function checkFolder(folder: DataFolder): Promise<Finding> {
  const { uid } = await stat(folder.path)
  const caller = process.geteuid?.()
  if (caller !== uid && caller !== 0) {
    return failed(
      'data folder',
      `${folder.path} belongs to user ${uid}`,
      'Call as its owner, or name another with --data.',
    )
  }
  const open: string[] = []
  for (const part of await secretsOf(folder)) {
    const { mode } = await stat(part).catch(() => ({ mode: 0 }))
    if ((mode & 0o077) !== 0) open.push(part)
  }
  if (open.length === 0) return ok('data folder', folder.path)
  return failed(
    'data folder',
    `others may read ${open.join(', ')}`,
    `chmod -R go-rwx ${open.join(' ')}`,
  )
}

/** Reads every page of the database. */
export function checkDatabase(folder: DataFolder): Finding {
  const cure =
    "Stop the server, keep a copy of the folder, and 'causeway restore' the last backup into a new one."
  try {
    const database = new DatabaseSync(folder.database, { readOnly: true })
    try {
      const rows = database.prepare('PRAGMA quick_check').all()
      const found = rows.map((row) => String(row.quick_check)).join('; ')
      return found === 'ok' ? ok('database', 'whole') : failed('database', found, cure)
    } finally {
      database.close()
    }
  } catch (error) {
    return failed('database', (error as Error).message, cure)
  }
}

/** Whether a scrub has found blobs that have not the bytes of their digest, or that are not there. */
export function checkBlobs(folder: DataFolder): Finding {
  try {
    const database = new DatabaseSync(folder.database, { readOnly: true })
    try {
      const rows = database.prepare('SELECT digest FROM registry_damaged_blobs').all()
      if (rows.length === 0) return checkCopies(database)
      const [first] = rows
      return failed(
        'blobs',
        `${rows.length} damaged, the first ${String(first?.digest)}; what was found lies in ${join(folder.blobs, 'quarantine')}`,
        "'causeway scrub' tells which images have them; push those again.",
      )
    } finally {
      database.close()
    }
  } catch (error) {
    // A database of an earlier version has no such table, and one that is damaged has told so above.
    return ok('blobs', `not known: ${(error as Error).message}`)
  }
}

/** Whether regions of replicas are still to get again what they had not whole. */
function checkCopies(database: DatabaseSync): Finding {
  const { count } = database
    .prepare('SELECT count(*) AS count FROM registry_damaged_copies')
    .get() as { count: number }
  if (count === 0) return ok('blobs', "none known to be damaged; 'causeway scrub' reads them")
  return warning(
    'blobs',
    `${count} damaged in regions of replicas, where they wait to be copied again`,
    "'causeway scrub' tells which; 'az acr replication show' tells why they wait.",
  )
}

// Two clocks of one machine may differ by that, as of a network file system.
const CLOCK_SLACK_MS = 60_000

/**
 * What was made with the clock tells whether it can be right: it must be after the certificates were made and before they
 * end, and no file can have been written later than now.
 */
export async function checkClock(folder: DataFolder, now: Date): Promise<Finding> {
  const authority = new X509Certificate(await readFile(join(folder.authorities, 'place-ca.pem')))
  const found = `it is ${now.toISOString()}`
  if (now < new Date(authority.validFrom)) {
    return failed(
      'clock',
      `${found}, before the certificates were made`,
      'Set the clock: clients refuse certificates of the future.',
    )
  }
  if (now > new Date(authority.validTo)) {
    return failed(
      'clock',
      `${found}, after the certificates ended`,
      'Set the clock, or start anew with another data folder.',
    )
  }
  for (const file of [folder.database, `${folder.database}-wal`, folder.logFile]) {
    const written = await stat(file).catch(() => undefined)
    if (!written || written.mtimeMs <= now.getTime() + CLOCK_SLACK_MS) continue
    return warning(
      'clock',
      `${found}, and ${file} was written at ${written.mtime.toISOString()}: it has gone back`,
      'Set the clock, and let NTP keep it: tokens that were issued meanwhile are not valid yet.',
    )
  }
  return ok('clock', found)
}

/** Namespaces without a server are what a crash left behind. */
export function checkNamespaces(namespaces: readonly string[], isRunning: boolean): Finding {
  const found = `${namespaces.length} of this data folder`
  if (isRunning || namespaces.length === 0) return ok('namespaces', found)
  return warning(
    'namespaces',
    `${found}, and no server`,
    "'causeway down' removes them, 'causeway up' takes them over.",
  )
}

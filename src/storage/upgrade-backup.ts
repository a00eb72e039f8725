import { mkdir, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { CannotStart } from '../lib/cannot-start.ts'
import { isErrno } from '../lib/files.ts'
import { copyDatabase } from './copy-database.ts'
import { type SchemaRecord, schemaNumber } from './schema-record.ts'

/** A database as it was before an upgrade, or before another took its place. */
export interface UpgradeBackup {
  readonly file: string
  /** The version that wrote it, and its schema. */
  readonly state: string
  /** The number of its schema. */
  readonly schema: number
}

const KEPT = 3
const NAME = /^(causeway-.+-schema-(\d+))-(\d{8}T\d{9}Z)\.db$/
const MEBIBYTE = 2 ** 20
// Beside the copy, the upgrade itself writes at most every page once into the journal.
const COPIES = 2
const SPARE_BYTES = 16 * MEBIBYTE

/** Where the copy of a database goes: named by the version that wrote it, its schema and the time. */
export async function nameBackup(folder: string, record: SchemaRecord, now: Date): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const time = now.toISOString().replaceAll(/[-:.]/g, '')
  const schema = schemaNumber(record.migrations)
  return join(folder, `causeway-${record.version}-schema-${schema}-${time}.db`)
}

/**
 * Copies a database before it is upgraded, and returns the copy's path.
 *
 * @throws CannotStart where there is no room for the copy and the upgrade, or it cannot be written.
 */
export async function backUpBeforeUpgrade(
  database: string,
  folder: string,
  record: SchemaRecord,
  now: Date,
): Promise<string> {
  const file = await nameBackup(folder, record, now)
  await removeDrafts(folder)
  await requireRoom(database, folder)
  try {
    await copyDatabase(database, file)
    await forgetOldBackups(folder)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CannotStart(
      `The database ${database} is of an older version and could not be copied to ${folder} before its upgrade ` +
        `(${reason}): it was left as it is; mend that and start again.`,
      { cause },
    )
  }
  return file
}

/** The copies that are there, the newest first. */
export async function listBackups(folder: string): Promise<readonly UpgradeBackup[]> {
  return (await readNames(folder))
    .flatMap((name) => {
      const [, state, schema, time] = NAME.exec(name) ?? []
      if (state === undefined || time === undefined) return []
      return [{ file: join(folder, name), state, schema: Number(schema), time }]
    })
    .toSorted((a, b) => b.time.localeCompare(a.time))
    .map(({ file, state, schema }) => ({ file, state, schema }))
}

/**
 * Keeps the newest copies. Of one version and schema only the last is among them, so that an upgrade which fails at every
 * start pushes out none of another version.
 */
export async function forgetOldBackups(folder: string): Promise<void> {
  const kept = new Set<string>()
  for (const { file, state } of await listBackups(folder)) {
    if (kept.has(state) || kept.size === KEPT) await rm(file)
    else kept.add(state)
  }
}

// What a copy that was cut short has left.
async function removeDrafts(folder: string): Promise<void> {
  for (const name of await readNames(folder)) {
    if (name.endsWith('.db.draft')) await rm(join(folder, name))
  }
}

async function readNames(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

async function requireRoom(database: string, folder: string): Promise<void> {
  const needed = (await bytesOf(database)) * COPIES + SPARE_BYTES
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (free >= needed) return
  throw new CannotStart(
    `The database ${database} is of an older version, and its upgrade needs ${mebibytes(needed)} at ${folder}, ` +
      `where ${mebibytes(free)} are free: make room and start again; nothing was changed.`,
  )
}

async function bytesOf(database: string): Promise<number> {
  const sizes = [database, `${database}-wal`].map((file) =>
    stat(file).then(
      ({ size }) => size,
      () => 0,
    ),
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / MEBIBYTE)} MiB`

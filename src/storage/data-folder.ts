import { createHash, randomUUID } from 'node:crypto'
import { chmod, mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { readOrCreate } from '../lib/durable-file.ts'

/** Where things are in a data folder. Secrets lie in folders that only the owner may enter. */
export interface DataFolder {
  readonly path: string
  /** 8 hex digits that name this folder's namespaces, so that two servers never meet. */
  readonly mark: string
  readonly database: string
  readonly keys: string
  readonly authorities: string
  readonly blobs: string
  readonly places: string
  readonly clients: string
  readonly run: string
  readonly logFile: string
  readonly operatorSocket: string
}

/** What is decided once for an installation. Ids are guids. */
export interface Installation {
  readonly tenantId: string
  readonly subscriptionId: string
}

/** Another server holds the data folder. */
export class DataFolderInUse extends Error {
  override readonly name = 'DataFolderInUse'
  constructor(path: string) {
    super(
      `The data folder ${path} is served already. ` +
        "'causeway status' tells by whom, 'causeway down' ends it; --data names another folder.",
    )
  }
}

/** Names the parts of a data folder; makes nothing. */
export async function describeDataFolder(path: string): Promise<DataFolder> {
  const real = await realpath(path).catch(() => path)
  return {
    path: real,
    mark: createHash('sha256').update(real).digest('hex').slice(0, 8),
    database: join(real, 'causeway.db'),
    keys: join(real, 'keys'),
    authorities: join(real, 'authorities'),
    blobs: join(real, 'registry'),
    places: join(real, 'places'),
    clients: join(real, 'clients'),
    run: join(real, 'run'),
    logFile: join(real, 'logs', 'server.log'),
    operatorSocket: join(real, 'run', 'operator.sock'),
  }
}

/** Makes what is missing of a data folder. Programs in places run as other users may pass through it, not read it. */
export async function makeDataFolder(path: string): Promise<DataFolder> {
  await mkdir(path, { recursive: true })
  const folder = await describeDataFolder(path)
  await chmod(folder.path, 0o711)
  for (const [part, mode] of [
    [folder.keys, 0o700],
    [folder.authorities, 0o755],
    [folder.blobs, 0o700],
    [folder.places, 0o755],
    [folder.clients, 0o711],
    [folder.run, 0o700],
    [join(folder.path, 'logs'), 0o700],
  ] as const) {
    await mkdir(part, { recursive: true })
    await chmod(part, mode)
  }
  return folder
}

/**
 * Holds a data folder until `release`, or until the process ends in whatever way.
 *
 * @throws DataFolderInUse
 */
export function lockDataFolder(folder: DataFolder): { release(): void } {
  // The kernel drops an SQLite lock with its process, so a crash leaves nothing to clean up.
  const lock = new DatabaseSync(join(folder.run, 'lock.db'))
  try {
    lock.exec('PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (error instanceof Error && /locked/.test(error.message)) {
      throw new DataFolderInUse(folder.path)
    }
    throw error
  }
  return { release: () => lock.close() }
}

/** Reads the installation's ids, or decides them at the first start. */
export async function openInstallation(folder: DataFolder): Promise<Installation> {
  const file = join(folder.path, 'installation.json')
  const text = await readOrCreate(file, async () => {
    const ids = { tenantId: randomUUID(), subscriptionId: randomUUID() }
    return `${JSON.stringify(ids, null, 2)}\n`
  })
  return JSON.parse(text) as Installation
}

import { createHash, randomUUID } from 'node:crypto'
import { statSync } from 'node:fs'
import { chmod, mkdir, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CannotStart } from '../lib/cannot-start.ts'
import { readOrCreate } from '../lib/durable-file.ts'
import { syncFolder } from '../lib/files.ts'
import { type HeldLock, holdLock } from './hold-lock.ts'

/** Where things are in a data folder. Secrets lie in folders that only the owner may enter. */
export interface DataFolder {
  readonly path: string
  /** 8 hex digits that name this folder's namespaces, so that two servers never meet. */
  readonly mark: string
  readonly database: string
  /** Databases from before an upgrade. */
  readonly backups: string
  readonly keys: string
  readonly authorities: string
  readonly blobs: string
  /** The blobs of further regions, a folder for each; can be made anew from `blobs`. */
  readonly replicas: string
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
  /** Lower case. Login servers, records and certificates have it in them. */
  readonly registryDomain: string
}

// Of an installation that asks for none, and of those made before it was kept.
const DEFAULT_REGISTRY_DOMAIN = 'azurecr.io'

/** Another server holds the data folder. */
export class DataFolderInUse extends CannotStart {
  override readonly name = 'DataFolderInUse'
  constructor(path: string) {
    super(
      `The data folder ${path} is served already. ` +
        "'causeway status' tells by whom, 'causeway down' ends it; --data names another folder.",
    )
  }
}

/** The data folder is not this user's. */
export class DataFolderOfAnother extends CannotStart {
  constructor(path: string) {
    super(
      `The data folder ${path} belongs to another user: call as its owner, or name another folder.`,
    )
  }
}

/** Names the parts of a data folder; makes nothing. @throws DataFolderOfAnother */
export async function describeDataFolder(path: string): Promise<DataFolder> {
  const real = await realpath(path).catch(() => path)
  if (!(await isOurs(real))) throw new DataFolderOfAnother(real)
  return {
    path: real,
    mark: createHash('sha256').update(real).digest('hex').slice(0, 8),
    database: join(real, 'causeway.db'),
    backups: join(real, 'backups'),
    keys: join(real, 'keys'),
    authorities: join(real, 'authorities'),
    blobs: join(real, 'registry'),
    replicas: join(real, 'replicas'),
    places: join(real, 'places'),
    clients: join(real, 'clients'),
    run: join(real, 'run'),
    logFile: join(real, 'logs', 'server.log'),
    operatorSocket: join(real, 'run', 'operator.sock'),
  }
}

// The kernel's limit for the path of a socket, less the zero that ends it.
const SOCKET_PATH_BYTES_MAX = 107

/**
 * Makes what is missing of a data folder. Only its owner may enter it; where root has prepared it, programs that root
 * runs in places as other users may pass through, and not read it.
 *
 * @throws CannotStart
 */
export async function makeDataFolder(path: string): Promise<DataFolder> {
  const folder = await describeDataFolder(path)
  refuseLongPath(folder)
  try {
    await makeParts(folder)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CannotStart(
      `The data folder ${path} cannot be made or written (${reason}): mend that, or name another with --data.`,
      { cause: error },
    )
  }
  return describeDataFolder(path)
}

/** @throws CannotStart */
export function refuseLongPath({ path, operatorSocket }: DataFolder): void {
  if (Buffer.byteLength(operatorSocket) <= SOCKET_PATH_BYTES_MAX) return
  throw new CannotStart(
    `The path ${path} is too long for a socket in it: give --data or CAUSEWAY_DATA a shorter one.`,
  )
}

// What root leaves to others on a folder that it prepares.
const PASSABLE = 0o011

async function makeParts(folder: DataFolder): Promise<void> {
  await makeFolders(folder.path)
  const { mode } = await stat(folder.path)
  await chmod(folder.path, (mode & 0o077) === PASSABLE ? 0o711 : 0o700)
  for (const [part, mode] of [
    [folder.backups, 0o700],
    [folder.keys, 0o700],
    [folder.authorities, 0o755],
    [folder.blobs, 0o700],
    [folder.places, 0o755],
    [folder.clients, 0o711],
    [folder.run, 0o700],
    [join(folder.path, 'logs'), 0o700],
  ] as const) {
    await makeFolders(part)
    await chmod(part, mode)
  }
}

// Node's own `recursive` never ends where nothing can be made in a folder that is there, as in /proc.
// A device is not to get a folder's rights.
async function makeFolders(path: string): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  await makeFolders(dirname(path))
  await mkdir(path, { mode: 0o700 })
  // What is synced in a folder is lost with it when the folder is not.
  await syncFolder(dirname(path))
}

/**
 * Holds a data folder until `release`, or until the process ends in whatever way.
 *
 * @throws DataFolderInUse
 */
export function lockDataFolder(folder: DataFolder): HeldLock {
  const lock = holdLock(join(folder.run, 'lock.db'))
  if (!lock) throw new DataFolderInUse(folder.path)
  return lock
}

/** Whether this user may have a data folder there; root may have every one. */
async function isOurs(path: string): Promise<boolean> {
  const user = process.geteuid?.()
  try {
    return user === 0 || (await stat(path)).uid === user
  } catch (error) {
    // It is still to be made, and the parent folder decides.
    return error instanceof Error && 'code' in error && error.code === 'ENOENT'
  }
}

/**
 * Reads what the installation is, or decides it at the first start.
 *
 * @throws CannotStart where another registry domain is asked for than it was made with
 */
export async function openInstallation(
  folder: DataFolder,
  asked: { readonly registryDomain?: string | undefined } = {},
): Promise<Installation> {
  const file = join(folder.path, 'installation.json')
  const text = await readOrCreate(file, async () => {
    const { registryDomain = DEFAULT_REGISTRY_DOMAIN } = asked
    const made = { tenantId: randomUUID(), subscriptionId: randomUUID(), registryDomain }
    return `${JSON.stringify(made, null, 2)}\n`
  })
  const installation = parseInstallation(file, text)
  const { registryDomain } = installation
  if (asked.registryDomain !== undefined && asked.registryDomain !== registryDomain) {
    throw new CannotStart(
      `The data folder ${folder.path} was made for the registry domain ${registryDomain}, which its login servers, ` +
        `records and certificates carry: set registryDomain to that, or give ${asked.registryDomain} a data folder of its own and copy the images.`,
    )
  }
  return installation
}

function parseInstallation(file: string, text: string): Installation {
  try {
    const parsed = JSON.parse(text) as Record<string, unknown>
    const { tenantId, subscriptionId, registryDomain = DEFAULT_REGISTRY_DOMAIN } = parsed
    if (
      typeof tenantId === 'string' &&
      typeof subscriptionId === 'string' &&
      typeof registryDomain === 'string'
    ) {
      return { tenantId, subscriptionId, registryDomain }
    }
  } catch (cause) {
    throw new CannotStart(damaged(file), { cause })
  }
  throw new CannotStart(damaged(file))
}

const damaged = (file: string): string => `${file} is damaged; restore it from a backup.`

/**
 * What the database holds is worth nothing under other ids and keys: they are made with it, never after it.
 *
 * @throws CannotStart
 */
export async function refuseIncomplete(folder: DataFolder): Promise<void> {
  if ((await sizeOf(folder.database)) === 0) return
  for (const file of [join(folder.path, 'installation.json'), join(folder.keys, 'keys.json')]) {
    if ((await sizeOf(file)) > 0) continue
    throw new CannotStart(
      `${file} is missing or empty, and the database cannot be used without it: restore it from a backup.`,
    )
  }
}

const sizeOf = (file: string): Promise<number> =>
  stat(file).then(
    ({ size }) => size,
    () => 0,
  )

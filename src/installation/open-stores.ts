import type { Settings } from '../arm/resource-type.ts'
import type { Config } from '../config.ts'
import { openKeys } from '../identity/keys.ts'
import { createSealer } from '../identity/sealer.ts'
import type { Closing } from '../lib/closing.ts'
import { createNamespaceDriver } from '../places/namespace-driver.ts'
import { endIdle } from '../places/remove-namespaces.ts'
import { createChangeFeed } from '../storage/create-change-feed.ts'
import {
  lockDataFolder,
  makeDataFolder,
  openInstallation,
  refuseIncomplete,
} from '../storage/data-folder.ts'
import { refuseNewer } from '../storage/data-too-new.ts'
import { openDatabase } from '../storage/database.ts'
import { createFileBlobStore } from '../storage/file-blob-store.ts'
import { openLogFile } from '../storage/log-file.ts'

/** Shows what takes long. */
export interface Progress {
  step<T>(title: string, work: () => Promise<T>): Promise<T>
}

export type Stores = Awaited<ReturnType<typeof openStores>>

/** What the installation keeps, held by this process until the end: nothing that follows is without it. @throws CannotStart */
export async function openStores(config: Config, progress: Progress, closing: Closing) {
  const folder = await makeDataFolder(config.dataFolder)
  const lock = lockDataFolder(folder)
  closing.add(() => lock.release())
  // Root has started a holder before anything could be refused here.
  closing.add(() => endIdle(createNamespaceDriver(folder.run)))
  await refuseNewer(folder.database)
  await refuseIncomplete(folder)
  const { tenantId, subscriptionId, registryDomain } = await openInstallation(folder, config)
  const { privateEndpointsPerRegistry } = config
  const settings: Settings = {
    tenantId,
    subscriptionId,
    registryDomain,
    privateEndpointsPerRegistry,
  }
  const keys = await openKeys(folder.keys)
  const { log, reopen: reopenLog, close: closeLog } = openLogFile(folder.logFile, config.logLevel)
  closing.add(closeLog)
  const { version } = config
  const database = await openDatabase(folder.database, { version, step: progress.step })
  closing.add(() => database.close())
  const blobs = await createFileBlobStore(folder.blobs)
  const sealer = createSealer(keys.sealing)
  const feed = createChangeFeed({ log })
  return { folder, settings, keys, log, reopenLog, database, blobs, sealer, feed }
}

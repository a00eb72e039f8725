import { rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { readConfig } from '../config.ts'
import { exists } from '../lib/exists.ts'
import { createRootDriver, createUserDriver } from '../places/namespace-driver.ts'
import { removeNamespaces } from '../places/remove-namespaces.ts'
import {
  type DataFolder,
  DataFolderInUse,
  describeDataFolder,
  lockDataFolder,
} from '../storage/data-folder.ts'
import { CommandError } from './command-error.ts'
import { createOperatorClient, NotRunning } from './operator-client.ts'
import { print } from './terminal.ts'

const STOP_SECONDS = 30

/** Stops the server if one runs, and removes what a crashed one left behind. */
export async function down(flags: { data?: string; purge?: boolean }): Promise<number> {
  const folder = await describeDataFolder(readConfig(flags).dataFolder)
  if (!(await exists(folder.path))) {
    print(`There is nothing at ${folder.path}.`)
    return 0
  }
  if (!(await exists(folder.database))) {
    throw new CommandError(`${folder.path} is not a data folder of Causeway; nothing was removed.`)
  }
  const stopped = await stopServer(folder)
  const lock = await takeOver(folder)
  try {
    await removeNamespaces(folder.mark, createUserDriver(folder.run))
    if (process.geteuid?.() === 0) await removeNamespaces(folder.mark, createRootDriver())
    if (flags.purge) await rm(folder.path, { recursive: true })
  } finally {
    lock.release()
  }
  print(
    stopped ? 'The server has stopped; its places are gone.' : 'No server ran; no place is left.',
  )
  print(flags.purge ? `Removed ${folder.path}.` : `The data stay in ${folder.path}.`)
  return 0
}

async function stopServer(folder: DataFolder): Promise<boolean> {
  try {
    await createOperatorClient(folder.operatorSocket, folder.path).call('POST', '/shutdown')
    return true
  } catch (error) {
    if (error instanceof NotRunning) return false
    throw error
  }
}

// The server holds the folder to its very end: having it means that the server is gone.
async function takeOver(folder: DataFolder): Promise<{ release(): void }> {
  for (const deadline = Date.now() + STOP_SECONDS * 1000; ; await delay(50)) {
    try {
      return lockDataFolder(folder)
    } catch (error) {
      if (!(error instanceof DataFolderInUse)) throw error
      if (Date.now() > deadline) {
        throw new CommandError(
          `The server did not stop within ${STOP_SECONDS} s; 'causeway status' gives its process id.`,
        )
      }
    }
  }
}

import { rm } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { readConfig } from '../config.ts'
import { exists } from '../lib/exists.ts'
import { createNamespaceDriver } from '../places/namespace-driver.ts'
import { removeNamespaces } from '../places/remove-namespaces.ts'
import { hasRootsRights } from '../places/rights.ts'
import { runCommand } from '../places/run-command.ts'
import {
  type DataFolder,
  DataFolderInUse,
  describeDataFolder,
  lockDataFolder,
} from '../storage/data-folder.ts'
import { CommandError } from './command-error.ts'
import { createOperatorClient, NotRunning } from './operator-client.ts'
import { type Owner, ownerOf, runAsOwner } from './owner.ts'
import { print } from './terminal.ts'

const STOP_SECONDS = 30

/** Stops the server if one runs, and removes what a crashed one left behind. */
export async function down(flags: { data?: string; purge?: boolean }): Promise<number> {
  const folder = await describeDataFolder((await readConfig(flags)).dataFolder)
  if (!(await exists(folder.path))) {
    print(`There is nothing at ${folder.path}.`)
    return 0
  }
  if (!(await exists(folder.database))) {
    throw new CommandError(`${folder.path} is not a data folder of Causeway; nothing was removed.`)
  }
  const owner = await ownerOf(folder.path)
  if (hasRootsRights() && owner.uid !== 0) return downAsOwner(folder, owner, flags)
  const stopped = await stopServer(folder)
  const lock = await takeOver(folder)
  try {
    await removeNamespaces(folder.mark, createNamespaceDriver(folder.run))
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

/** Root does not open the files of somebody else, who could lead it elsewhere by links; it only removes them. */
async function downAsOwner(
  folder: DataFolder,
  owner: Owner,
  flags: { purge?: boolean },
): Promise<number> {
  const code = await runAsOwner(owner, ['down', '--data', folder.path])
  if (code !== 0 || !flags.purge) return code
  // rm follows no link, also where one is put in the place of a folder meanwhile.
  await runCommand('rm', ['--recursive', '--force', '--one-file-system', '--', folder.path])
  print(`Removed ${folder.path}.`)
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

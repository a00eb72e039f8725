import { access, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { BackupExists, backUp } from '../care/backup.ts'
import { NotRestorable } from '../care/not-restorable.ts'
import { restore } from '../care/restore.ts'
import { isDatabase, restoreDatabase } from '../care/restore-database.ts'
import { readConfig } from '../config.ts'
import { hasRootsRights } from '../places/rights.ts'
import { describeDataFolder } from '../storage/data-folder.ts'
import { CommandError } from './command-error.ts'
import { ownerOf, runAsOwner } from './owner.ts'
import { print } from './terminal.ts'

interface Flags {
  readonly data?: string
}

/** Writes the data folder into one file; the server may run meanwhile. */
export async function backupCommand(file: string, flags: Flags): Promise<number> {
  const folder = await describeDataFolder((await readConfig(flags)).dataFolder)
  await access(folder.database).catch(() => {
    throw new CommandError(
      `There is nothing to back up at ${folder.path}; --data names another folder.`,
    )
  })
  const target = resolve(file)
  await backUp(folder, target).catch((error: Error) => {
    if (error instanceof BackupExists) {
      throw new CommandError(
        `${target} is there already, and was left as it is: name another file.`,
      )
    }
    throw new CommandError(`${target} could not be written: ${error.message}`, 1, { cause: error })
  })
  const { size } = await stat(target)
  print(`Wrote ${target}, ${mebibytes(size)}. It holds keys: keep it as you keep the data folder.`)
  return 0
}

/** Makes a data folder from such a file, or puts the database from before an upgrade back into one. */
export async function restoreCommand(file: string, flags: Flags): Promise<number> {
  const { dataFolder } = await readConfig(flags)
  const source = resolve(file)
  const owner = hasRootsRights() ? await ownerOf(dataFolder) : undefined
  try {
    if (await isDatabase(source)) {
      // Root writes nothing into a folder of somebody else.
      if (owner && owner.uid !== 0) {
        return await runAsOwner(owner, ['restore', source, '--data', dataFolder])
      }
      const present = await restoreDatabase(source, await describeDataFolder(dataFolder))
      print(`The database of ${dataFolder} is ${source} again. What was there is kept: ${present}.`)
      return 0
    }
    await restore(source, dataFolder, owner)
  } catch (error) {
    if (!(error instanceof NotRestorable)) throw error
    throw new CommandError(error.message, 1, { cause: error })
  }
  print(`Restored ${dataFolder}; 'causeway up' serves it.`)
  return 0
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`

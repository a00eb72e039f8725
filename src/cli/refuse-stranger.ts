import { access } from 'node:fs/promises'
import type { Attached } from '../operator/contract.ts'
import { findHolder } from '../places/holder.ts'
import { namespaceFile } from '../places/namespace-driver.ts'
import { programIdOf } from '../places/namespace-names.ts'
import type { DataFolder } from '../storage/data-folder.ts'
import { CommandError } from './command-error.ts'

/**
 * Refuses to enter anything but a program's namespace of this data folder: whoever enters may have more rights than the
 * server that says where to go.
 *
 * @throws CommandError
 */
export async function refuseStranger(attached: Attached, folder: DataFolder): Promise<void> {
  const { entry, namespace } = attached
  const holder = await findHolder(folder.run)
  if (!holder || !(await isThere(entry.file))) {
    throw new CommandError(
      "A program in a place cannot enter another one: call 'causeway exec' outside of places.",
    )
  }
  const isOurs =
    programIdOf(folder.mark, namespace) !== undefined &&
    entry.file === namespaceFile(holder, namespace) &&
    entry.holder.pid === holder.pid
  if (!isOurs) throw new CommandError('The server named a place that is not its own.')
}

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  )

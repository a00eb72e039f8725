import { open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { isErrno } from '../lib/files.ts'
import type { Attached } from '../operator/contract.ts'
import { type Holder, lookForHolder } from '../places/holder.ts'
import { namespaceFile } from '../places/namespace-driver.ts'
import type { NamespaceEntry } from '../places/namespace-entry.ts'
import { programIdOf } from '../places/namespace-names.ts'
import type { DataFolder } from '../storage/data-folder.ts'
import { CommandError } from './command-error.ts'

/** A program's namespaces, open: they can be entered whatever becomes of the process that holds them. */
export interface OpenPlace {
  /** For a child that gets `files` as its third descriptor and on. */
  readonly entry: NamespaceEntry
  readonly files: readonly number[]
  close(): Promise<void>
}

/** As long as the server takes at most to put another holder in the place of one. */
const HOLDER_MS_MAX = 10_000
const AGAIN_MS = 20

/**
 * Opens nothing but a program's namespace of this data folder: whoever enters may have more rights than the server that
 * says where to go. While their holder is being replaced, it waits.
 *
 * @throws CommandError
 */
export async function openPlace(attached: Attached, folder: DataFolder): Promise<OpenPlace> {
  const { namespace } = attached
  if (programIdOf(folder.mark, namespace) === undefined) {
    throw new CommandError('The server named a place that is not its own.')
  }
  for (const deadline = Date.now() + HOLDER_MS_MAX; ; await delay(AGAIN_MS)) {
    const holder = await lookForHolder(folder.run)
    if (holder === 'hidden') {
      throw new CommandError(
        "A program in a place cannot enter another one: call 'causeway exec' outside of places.",
      )
    }
    const opened = holder && (await openIfThere(holder, namespace))
    if (opened) return opened
    if (Date.now() > deadline) {
      throw new CommandError(
        "The process that holds the places has ended, and no other has taken its place; 'causeway logs' may have the reason.",
      )
    }
  }
}

async function openIfThere(holder: Holder, namespace: string): Promise<OpenPlace | undefined> {
  const wanted = [namespaceFile(holder, namespace), `/proc/${holder.pid}/ns/user`]
  const opened = await Promise.allSettled(wanted.map((file) => open(file)))
  const handles = opened.flatMap((each) => (each.status === 'fulfilled' ? each.value : []))
  const close = async () => {
    await Promise.all(handles.map((handle) => handle.close()))
  }
  if (handles.length === wanted.length) {
    const [file, userFile] = ['/proc/self/fd/3', '/proc/self/fd/4'] as const
    return { entry: { file, userFile, holder }, files: handles.map(({ fd }) => fd), close }
  }
  await close()
  const failure = opened.find((each) => each.status === 'rejected' && !isGone(each.reason))
  if (failure?.status === 'rejected') throw failure.reason
  return undefined
}

/** What the kernel says of files of a process that has ended, or is about to. */
const isGone = (error: unknown): boolean => isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')

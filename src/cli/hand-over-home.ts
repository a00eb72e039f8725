import { constants } from 'node:fs'
import { lchown, lstat, mkdir, open, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isErrno } from '../lib/files.ts'
import { HOME_PARTS } from '../operator/program-homes.ts'
import type { DataFolder } from '../storage/data-folder.ts'
import { CommandError } from './command-error.ts'

/**
 * Gives the configuration folders of a program to the user who runs it, where that is not the server's own: only root
 * can. What the server may have put there for root to stumble over is refused.
 *
 * @throws CommandError
 */
export async function handOverHome(
  home: string,
  user: { readonly uid: number; readonly gid: number },
  folder: DataFolder,
): Promise<void> {
  const server = (await lstat(folder.path)).uid
  if (user.uid === server) return
  if (dirname(home) !== folder.clients) throw refusal(home)
  const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants
  const handle = await open(home, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  try {
    // Names are looked up below what is open, wherever it has been moved meanwhile.
    const here = `/proc/self/fd/${handle.fd}`
    const { uid } = await handle.stat()
    if (uid !== user.uid) {
      if (uid !== server || (await readdir(here)).length > 0) throw refusal(home)
      await handle.chown(user.uid, user.gid)
    }
    for (const part of HOME_PARTS) {
      if (await isMade(join(here, part))) await lchown(join(here, part), user.uid, user.gid)
    }
  } finally {
    await handle.close()
  }
}

async function isMade(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 })
    return true
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false
    throw error
  }
}

const refusal = (home: string): CommandError =>
  new CommandError(`${home} is not as the server should have made it: remove it and try again.`)

import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isErrno, syncFolder } from './files.ts'

/**
 * The text of a file that is made once: `create` is asked only when there is none yet. Of two makers one wins, and both
 * get the winner's text. The file is readable by its owner alone, as is its folder if that had to be made.
 */
export async function readOrCreate(file: string, create: () => Promise<string>): Promise<string> {
  const existing = await readIfPresent(file)
  if (existing !== undefined) return existing
  const draft = await writeDraft(file, await create(), 0o600)
  try {
    await link(draft, file)
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  } finally {
    await rm(draft)
  }
  await syncFolder(dirname(file))
  return readFile(file, 'utf8')
}

/** Puts `text` in the place of the file, whole or not at all, and waits until it is on disk. */
export async function replaceFile(file: string, text: string, mode = 0o600): Promise<void> {
  await rename(await writeDraft(file, text, mode), file)
  await syncFolder(dirname(file))
}

/** The file's text; undefined when there is no such file. */
export async function readIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

async function writeDraft(file: string, text: string, mode: number): Promise<string> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const draft = `${file}.${randomBytes(6).toString('hex')}.draft`
  const handle = await open(draft, 'wx', mode)
  try {
    // Whatever the umask says.
    await handle.chmod(mode)
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return draft
}

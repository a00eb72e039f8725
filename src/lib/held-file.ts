import { type FileHandle, open } from 'node:fs/promises'

/** A file, or a folder, that is opened when it is needed and stays open while it may be needed again. */
export interface HeldFile {
  /** @throws what opening it throws */
  use<T>(work: (handle: FileHandle) => Promise<T>): Promise<T>
  /** Closes it as soon as nobody uses it; it is opened again when somebody does. */
  release(): void
}

/** Requests of one client follow each other much faster, and nobody misses a descriptor for so long. */
const IDLE_MS = 1000

/** `handle` is the file where it has been opened already. */
export function holdFile(path: string, flags: string, handle?: FileHandle): HeldFile {
  let opened = handle && Promise.resolve(handle)
  let users = 0
  let isReleased = false
  const timer = setTimeout(() => release(), IDLE_MS)
  timer.unref()

  function release(): void {
    isReleased = true
    if (users > 0) return
    const closing = opened
    opened = undefined
    // What had to be on disk was synced; a file that could not be opened was told of.
    closing?.then((each) => each.close()).catch(() => undefined)
  }

  return {
    release,
    async use(work) {
      users += 1
      isReleased = false
      opened ??= open(path, flags)
      const using = opened
      try {
        return await work(await using)
      } catch (error) {
        // Whatever it was, the next one begins anew.
        isReleased = true
        throw error
      } finally {
        users -= 1
        if (isReleased) release()
        else timer.refresh()
      }
    },
  }
}

import { type FileHandle, open } from 'node:fs/promises'
import { createMutex } from '../lib/mutex.ts'
import { endHolder, findHolder, type Holder, reviveHolder, startHolder } from './holder.ts'

/** Where the namespaces of a data folder are: with its holder, which is started when it is needed. */
export interface Ground {
  find(): Promise<Holder | undefined>
  /** @throws CommandFailed with the words of the kernel where user namespaces are forbidden */
  findOrMake(): Promise<Holder>
  /**
   * Keeps the namespaces when the holder is killed, until the function that it returns is called. `lost` is called when
   * they are gone nevertheless.
   */
  watch(lost: () => void): () => void
  /** Ends the holder, when all namespaces are gone. */
  end(): Promise<void>
}

const WATCH_MS = 1000
const REVIVALS_MAX = 5

/** `folder` remembers the holder. */
export function createGround(folder: string): Ground {
  const oneAtATime = createMutex()
  let kept: Kept | undefined
  let isWatching = false

  async function find(): Promise<Holder | undefined> {
    const holder = await findHolder(folder)
    if (!isWatching) return holder
    if (holder && (await isKept(holder))) return holder
    return kept && revive(kept)
  }

  /** False where it was killed meanwhile. */
  async function isKept(holder: Holder): Promise<boolean> {
    if (holder.pid === kept?.pid) return true
    try {
      await keep(holder)
      return true
    } catch (error) {
      if ((await findHolder(folder))?.pid === holder.pid) throw error
      return false
    }
  }

  async function keep(holder: Holder): Promise<void> {
    const before = kept
    kept = await keepNamespaces(holder)
    await before?.close()
  }

  async function revive({ user, mount, network }: Kept): Promise<Holder | undefined> {
    const files = { user: user.fd, mount: mount.fd, network: network.fd }
    // Whoever kills the one may kill the next, and without any all places would be lost.
    for (let tries = 0; tries < REVIVALS_MAX; tries++) {
      const revived = await reviveHolder(folder, files).catch(() => undefined)
      if (revived) return revived
    }
    return undefined
  }

  return {
    find: () => oneAtATime(find),
    findOrMake: () => oneAtATime(async () => (await find()) ?? startHolder(folder)),
    watch(lost) {
      isWatching = true
      let last: string | undefined
      const look = () =>
        oneAtATime(async () => {
          if (!isWatching) return
          const holder = await find().catch(() => undefined)
          const identity = holder && kept?.identity
          if (last !== undefined && identity !== last) lost()
          last = identity
        })
      void look()
      const timer = setInterval(look, WATCH_MS).unref()
      return () => {
        clearInterval(timer)
        isWatching = false
        void oneAtATime(async () => {
          await kept?.close()
          kept = undefined
        })
      }
    },
    end: () => oneAtATime(() => endHolder(folder)),
  }
}

interface Kept {
  readonly pid: number
  /** Differs from that of every other holder's namespaces. */
  readonly identity: string
  readonly user: FileHandle
  readonly mount: FileHandle
  readonly network: FileHandle
  close(): Promise<void>
}

async function keepNamespaces({ pid }: Holder): Promise<Kept> {
  const [user, mount, network] = await Promise.all([
    open(`/proc/${pid}/ns/user`),
    open(`/proc/${pid}/ns/mnt`),
    open(`/proc/${pid}/ns/net`),
  ])
  const { ino } = await mount.stat()
  return {
    pid,
    identity: String(ino),
    user,
    mount,
    network,
    close: async () => {
      await Promise.all([user.close(), mount.close(), network.close()])
    },
  }
}

import { createMutex } from '../lib/mutex.ts'
import { endHolder, findHolder, startHolder } from './holder.ts'
import type { NamespaceEntry } from './namespace-entry.ts'
import { keepUser } from './namespace-entry.ts'
import { NAMESPACE_FOLDER } from './namespace-names.ts'

/** A mount namespace that has a folder of named network namespaces, and the right to make more there. */
export interface Ground {
  /** What to put before a command so that it sees the folder. */
  readonly prefix: readonly string[]
  /** The folder as processes on the machine see it. */
  readonly folder: string
  readonly holder?: NamespaceEntry['holder']
}

/** Where the namespaces of a data folder are. */
export interface Grounds {
  readonly owner: 'root' | 'user'
  find(): Promise<Ground | undefined>
  findOrMake(): Promise<Ground>
  /** Calls `lost` when all namespaces have gone at once, until the function that it returns is called. */
  watch(lost: () => void): () => void
  /** Ends what was made for the namespaces, when all of them are gone. */
  end(): Promise<void>
}

const WATCH_MS = 1000

/** The machine itself; needs root. */
export function machineGrounds(): Grounds {
  const machine: Ground = { prefix: [], folder: NAMESPACE_FOLDER }
  return {
    owner: 'root',
    find: async () => machine,
    findOrMake: async () => machine,
    watch: () => () => {},
    end: async () => {},
  }
}

/** The user namespace of a holder that is started when it is needed; `folder` remembers it. */
export function holderGrounds(folder: string): Grounds {
  const oneAtATime = createMutex()
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0]
  const groundOf = ({ pid }: { readonly pid: number }): Ground => ({
    prefix: ['nsenter', '--user', '--mount', '--net', `--target=${pid}`, ...keepUser()],
    folder: `/proc/${pid}/root${NAMESPACE_FOLDER}`,
    holder: { pid, uid, gid },
  })
  const find = async (): Promise<Ground | undefined> => {
    const holder = await findHolder(folder)
    return holder && groundOf(holder)
  }
  return {
    owner: 'user',
    find,
    findOrMake: () => oneAtATime(async () => (await find()) ?? groundOf(await startHolder(folder))),
    watch(lost) {
      let last: number | undefined
      const look = async () => {
        const holder = await findHolder(folder).catch(() => undefined)
        if (last !== undefined && holder?.pid !== last) lost()
        last = holder?.pid
      }
      void look()
      const timer = setInterval(look, WATCH_MS).unref()
      return () => clearInterval(timer)
    },
    end: () => endHolder(folder),
  }
}

import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { exists } from '../lib/exists.ts'
import type { Holder } from './holder.ts'
import { enterAsOwner, enterHolder, type NamespaceEntry } from './namespace-entry.ts'
import { createGround } from './namespace-ground.ts'
import { NAMESPACE_FOLDER } from './namespace-names.ts'
import { networkOfThisProcess, processesInNetwork } from './network-processes.ts'
import { runCommand } from './run-command.ts'

/** A network interface: its addresses as `10.0.0.1/24`, and the note that was left on it. */
export interface LinkState {
  readonly addresses: readonly string[]
  readonly alias?: string
}

/** All that places do to the kernel's network namespaces. Named namespaces outlive the process. */
export interface NamespaceDriver {
  /**
   * Names that begin with `prefix`, each with what tells this very namespace from a later one of the same name; 0 for
   * the remains of one that was never finished.
   */
  list(prefix: string): Promise<ReadonlyMap<string, number>>
  add(namespace: string): Promise<void>
  /** Removes the name; the namespace lives on while processes or sockets are in it. Nothing happens where nothing is. */
  remove(namespace: string): Promise<void>
  /** Runs `ip` commands (`address add …`) in a namespace, stopping at the first that fails. */
  configure(namespace: string, commands: readonly string[]): Promise<void>
  /** Writes below /proc/sys, as seen in the namespace. */
  set(namespace: string, values: Readonly<Record<string, string>>): Promise<void>
  links(namespace: string): Promise<ReadonlyMap<string, LinkState>>
  /** Processes in the namespace, whoever runs them. */
  processes(namespace: string): Promise<readonly number[]>
  /** How programs get into the namespace. */
  entry(namespace: string): Promise<NamespaceEntry>
  /** Calls `lost` when something has taken all namespaces away at once, until the returned function is called. */
  watch(lost: () => void): () => void
  /** Ends what had to be made before there could be namespaces; all of them are gone by then. */
  end(): Promise<void>
}

// NSFS_MAGIC of linux/magic.h: tells a namespace from the empty file that a crash leaves in its stead.
const NSFS = 0x6e736673

const WRITE_SETTINGS =
  'while read -r path value; do echo "$value" >"/proc/sys/$path" || exit 1; done'

/** Works on the namespaces of a data folder; `folder` remembers the process that holds them. */
export function createNamespaceDriver(folder: string): NamespaceDriver {
  const ground = createGround(folder)

  async function holder(): Promise<Holder> {
    const found = await ground.find()
    if (!found) throw new Error('the process that holds the namespaces has ended')
    return found
  }

  const isStill = async ({ pid }: Holder): Promise<boolean> => (await ground.find())?.pid === pid

  /** Reads by way of the holder, again where it was killed meanwhile: whoever is gone has nothing to show. */
  async function look<T>(read: (holder: Holder) => Promise<T>): Promise<T | undefined> {
    for (;;) {
      const found = await ground.find()
      if (!found) return undefined
      const seen = await read(found)
      if (await isStill(found)) return seen
    }
  }

  /** Runs a command that enters by way of the holder, again where that was killed before it was in. */
  async function enter(
    commandBy: (holder: Holder) => readonly string[],
    input?: string,
  ): Promise<string> {
    for (;;) {
      const found = await holder()
      const [file = '', ...args] = commandBy(found)
      try {
        return await runCommand(file, args, input)
      } catch (error) {
        if (await isStill(found)) throw error
      }
    }
  }

  const run = (words: readonly string[], input?: string): Promise<string> =>
    enter((found) => [...enterHolder(found, ['--user', '--mount', '--net']), ...words], input)

  const runInside = (
    namespace: string,
    words: readonly string[],
    input?: string,
  ): Promise<string> =>
    enter((found) => [...enterAsOwner(entryBy(found, namespace)), ...words], input)

  const isThere = async (namespace: string): Promise<boolean> =>
    (await look((found) => exists(namespaceFile(found, namespace)))) ?? false

  return {
    entry: async (namespace) => entryBy(await holder(), namespace),
    watch: ground.watch,
    end: () => ground.end(),

    async list(prefix) {
      const found = await look(async (holder) => {
        const files = folderOf(holder)
        const names = await readdir(files).catch(() => [])
        return Promise.all(
          names
            .filter((name) => name.startsWith(prefix))
            .map(async (name) => [name, await identityOf(join(files, name))] as const),
        )
      })
      return new Map(found)
    },

    async add(namespace) {
      await ground.findOrMake()
      await run(['ip', 'netns', 'add', namespace])
    },

    async remove(namespace) {
      if (!(await ground.find())) return
      try {
        await run(['ip', 'netns', 'del', namespace])
      } catch (error) {
        if (await isThere(namespace)) throw error
      }
    },

    async configure(namespace, commands) {
      await run(['ip', '-n', namespace, '-batch', '-'], `${commands.join('\n')}\n`)
    },

    async set(namespace, values) {
      const lines = Object.entries(values).map(([path, value]) => `${path} ${value}\n`)
      await runInside(namespace, ['sh', '-c', WRITE_SETTINGS], lines.join(''))
    },

    async links(namespace) {
      return new Map(
        parseLinks(await run(['ip', '-n', namespace, '-details', '-j', 'address', 'show'])),
      )
    },

    async processes(namespace) {
      if (!(await isThere(namespace))) return []
      return processesInNetwork(await runInside(namespace, networkOfThisProcess))
    },
  }
}

/** The file that stands for a namespace, as processes on the machine see it. */
export const namespaceFile = (holder: Holder, namespace: string): string =>
  join(folderOf(holder), namespace)

const entryBy = (holder: Holder, namespace: string): NamespaceEntry => ({
  file: namespaceFile(holder, namespace),
  holder,
})

/** The folder of named namespaces, likewise. */
const folderOf = ({ pid }: Holder): string => `/proc/${pid}/root${NAMESPACE_FOLDER}`

interface ShownLink {
  readonly ifname?: string
  readonly ifalias?: string
  readonly addr_info?: readonly { family: string; local: string; prefixlen: number }[]
}

function parseLinks(shown: string): [string, LinkState][] {
  // iproute2 prints {} for nothing in some versions, so members may be absent.
  return (JSON.parse(shown) as readonly ShownLink[]).map(({ ifname = '', ifalias, addr_info }) => [
    ifname,
    {
      addresses: (addr_info ?? [])
        .filter((address) => address.family === 'inet')
        .map((address) => `${address.local}/${address.prefixlen}`),
      ...(ifalias !== undefined && { alias: ifalias }),
    },
  ])
}

/** The inode of a namespace; 0 for a file that is none. */
async function identityOf(file: string): Promise<number> {
  try {
    const [{ type }, { ino }] = await Promise.all([statfs(file), stat(file)])
    return type === NSFS ? ino : 0
  } catch {
    return 0
  }
}

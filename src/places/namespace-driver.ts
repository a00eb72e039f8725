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

  async function run(words: readonly string[], input?: string): Promise<string> {
    const [file = '', ...args] = [
      ...enterHolder(await holder(), ['--user', '--mount', '--net']),
      ...words,
    ]
    return runCommand(file, args, input)
  }

  const entry = async (namespace: string): Promise<NamespaceEntry> => {
    const found = await holder()
    return { file: namespaceFile(found, namespace), holder: found }
  }

  async function runInside(
    namespace: string,
    words: readonly string[],
    input?: string,
  ): Promise<string> {
    const [file = '', ...args] = [...enterAsOwner(await entry(namespace)), ...words]
    return runCommand(file, args, input)
  }

  return {
    entry,
    watch: ground.watch,
    end: () => ground.end(),

    async list(prefix) {
      const found = await ground.find()
      if (!found) return new Map()
      const files = folderOf(found)
      const names = (await readdir(files).catch(() => [])).filter((name) => name.startsWith(prefix))
      const identified = names.map(
        async (name) => [name, await identityOf(join(files, name))] as const,
      )
      return new Map(await Promise.all(identified))
    },

    async add(namespace) {
      await ground.findOrMake()
      await run(['ip', 'netns', 'add', namespace])
    },

    async remove(namespace) {
      const found = await ground.find()
      if (!found) return
      try {
        await run(['ip', 'netns', 'del', namespace])
      } catch (error) {
        if (await exists(namespaceFile(found, namespace))) throw error
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
      const found = await ground.find()
      if (!found || !(await exists(namespaceFile(found, namespace)))) return []
      return processesInNetwork(await runInside(namespace, networkOfThisProcess))
    },
  }
}

/** The file that stands for a namespace, as processes on the machine see it. */
export const namespaceFile = (holder: Holder, namespace: string): string =>
  join(folderOf(holder), namespace)

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

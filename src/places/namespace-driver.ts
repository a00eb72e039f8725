import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { exists } from '../lib/exists.ts'
import { enterNamespace, type NamespaceEntry } from './namespace-entry.ts'
import { type Ground, type Grounds, holderGrounds, machineGrounds } from './namespace-ground.ts'
import { runCommand } from './run-command.ts'

/** A network interface: its addresses as `10.0.0.1/24`, and the note that was left on it. */
export interface LinkState {
  readonly addresses: readonly string[]
  readonly alias?: string
}

/** All that places do to the kernel's network namespaces. Named namespaces outlive the process. */
export interface NamespaceDriver {
  /** Whether they are the machine's own, or those of a user namespace. */
  readonly owner: 'root' | 'user'
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
  /** Processes in the namespace. */
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

/** Works on the machine's own namespaces, and so needs root. */
export const createRootDriver = (): NamespaceDriver => createDriver(machineGrounds())

/** Works on the namespaces of an ordinary user; `folder` remembers the process that holds them. */
export const createUserDriver = (folder: string): NamespaceDriver =>
  createDriver(holderGrounds(folder))

/** The driver for whoever runs this process. */
export const createNamespaceDriver = (folder: string): NamespaceDriver =>
  process.geteuid?.() === 0 ? createRootDriver() : createUserDriver(folder)

function createDriver(grounds: Grounds): NamespaceDriver {
  async function ground(): Promise<Ground> {
    const found = await grounds.find()
    if (!found) throw new Error('the process that holds the namespaces has ended')
    return found
  }

  async function run(words: readonly string[], input?: string): Promise<string> {
    const [file = '', ...args] = [...(await ground()).prefix, ...words]
    return runCommand(file, args, input)
  }

  async function entry(namespace: string): Promise<NamespaceEntry> {
    const { folder, holder } = await ground()
    return { file: join(folder, namespace), ...(holder && { holder }) }
  }

  return {
    owner: grounds.owner,
    entry,
    watch: grounds.watch,
    end: () => grounds.end(),

    async list(prefix) {
      const found = await grounds.find()
      if (!found) return new Map()
      const names = (await readdir(found.folder).catch(() => [])).filter((name) =>
        name.startsWith(prefix),
      )
      const identified = names.map(
        async (name) => [name, await identityOf(join(found.folder, name))] as const,
      )
      return new Map(await Promise.all(identified))
    },

    async add(namespace) {
      await grounds.findOrMake()
      await run(['ip', 'netns', 'add', namespace])
    },

    async remove(namespace) {
      const found = await grounds.find()
      if (!found) return
      try {
        await run(['ip', 'netns', 'del', namespace])
      } catch (error) {
        if (await exists(join(found.folder, namespace))) throw error
      }
    },

    async configure(namespace, commands) {
      await run(['ip', '-n', namespace, '-batch', '-'], `${commands.join('\n')}\n`)
    },

    async set(namespace, values) {
      const [file = '', ...args] = enterNamespace(await entry(namespace))
      const lines = Object.entries(values).map(([path, value]) => `${path} ${value}\n`)
      await runCommand(file, [...args, 'sh', '-c', WRITE_SETTINGS], lines.join(''))
    },

    async links(namespace) {
      return new Map(
        parseLinks(await run(['ip', '-n', namespace, '-details', '-j', 'address', 'show'])),
      )
    },

    async processes(namespace) {
      const found = await grounds.find()
      if (!found || !(await exists(join(found.folder, namespace)))) return []
      const output = await run(['ip', 'netns', 'pids', namespace])
      return output.split('\n').filter(Boolean).map(Number)
    },
  }
}

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

import { readdir, stat, statfs } from 'node:fs/promises'
import { NAMESPACE_FOLDER, namespaceFile } from './namespace-names.ts'
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
  /** Processes in the namespace. */
  processes(namespace: string): Promise<readonly number[]>
  /** What to put before a command so that it runs in the namespace. It must not fork: handles are passed through it. */
  inside(namespace: string): readonly string[]
}

// NSFS_MAGIC of linux/magic.h: tells a namespace from the empty file that a crash leaves in its stead.
const NSFS = 0x6e736673

const WRITE_SETTINGS =
  'while read -r path value; do echo "$value" >"/proc/sys/$path" || exit 1; done'

/** Works on the machine's own namespaces, and so needs root. */
export function createRootDriver(): NamespaceDriver {
  return {
    async list(prefix) {
      const names = (await readdir(NAMESPACE_FOLDER).catch(() => [])).filter((name) =>
        name.startsWith(prefix),
      )
      return new Map(
        await Promise.all(names.map(async (name) => [name, await identityOf(name)] as const)),
      )
    },

    async add(namespace) {
      await runCommand('ip', ['netns', 'add', namespace])
    },

    async remove(namespace) {
      try {
        await runCommand('ip', ['netns', 'del', namespace])
      } catch (error) {
        if (await exists(namespaceFile(namespace))) throw error
      }
    },

    async configure(namespace, commands) {
      await runCommand('ip', ['-n', namespace, '-batch', '-'], `${commands.join('\n')}\n`)
    },

    async set(namespace, values) {
      const lines = Object.entries(values).map(([path, value]) => `${path} ${value}\n`)
      await runCommand(
        'nsenter',
        [`--net=${namespaceFile(namespace)}`, 'sh', '-c', WRITE_SETTINGS],
        lines.join(''),
      )
    },

    async links(namespace) {
      const shown = await runCommand('ip', ['-n', namespace, '-details', '-j', 'address', 'show'])
      return new Map(parseLinks(shown))
    },

    async processes(namespace) {
      const output = await runCommand('ip', ['netns', 'pids', namespace])
      return output.split('\n').filter(Boolean).map(Number)
    },

    inside: (namespace) => ['nsenter', `--net=${namespaceFile(namespace)}`],
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
async function identityOf(namespace: string): Promise<number> {
  const file = namespaceFile(namespace)
  try {
    const [{ type }, { ino }] = await Promise.all([statfs(file), stat(file)])
    return type === NSFS ? ino : 0
  } catch {
    return 0
  }
}

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  )

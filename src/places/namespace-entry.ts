import { becomeUser } from './become-user.ts'

/** How to get into a namespace. */
export interface NamespaceEntry {
  /** The file that stands for it, in the eyes of processes on the machine. */
  readonly file: string
  readonly holder: HolderEntry
  /** The file of its user namespace, where that is open; otherwise it is found by the holder. */
  readonly userFile?: string
}

/** The process whose user namespace owns it, and the user to whom that belongs. */
export interface HolderEntry {
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

/** What to put before a command so that it runs in the namespace with all rights there, and none elsewhere; it does not fork. */
export const enterAsOwner = ({ file, holder, userFile }: NamespaceEntry): readonly string[] => [
  ...(userFile === undefined
    ? enterHolder(holder, ['--user'])
    : ['nsenter', '--preserve-credentials', `--user=${userFile}`]),
  `--net=${file}`,
]

/** The same for root, who keeps the rights that it has on the machine. */
export const enterAsRoot = ({ file }: NamespaceEntry): readonly string[] => [
  'nsenter',
  `--net=${file}`,
]

/** nsenter into namespaces of the holder, as the user to whom they belong: only root is ever anybody else. */
export const enterHolder = (
  { pid, uid, gid }: HolderEntry,
  which: readonly ('--user' | '--mount' | '--net')[],
): readonly string[] => [
  ...(process.geteuid?.() === uid ? [] : becomeUser({ uid, gid, groups: [] })),
  'nsenter',
  '--preserve-credentials',
  ...which,
  `--target=${pid}`,
]

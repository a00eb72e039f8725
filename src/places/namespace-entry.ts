/** How to get into a namespace. */
export interface NamespaceEntry {
  /** The file that stands for it, in the eyes of processes on the machine. */
  readonly file: string
  /** The process whose user namespace owns it, and the user to whom that belongs; none where root owns it. */
  readonly holder?: { readonly pid: number; readonly uid: number; readonly gid: number }
}

/** What to put before a command so that it runs in the namespace, with all rights there; it does not fork. */
export const enterNamespace = ({ file, holder }: NamespaceEntry): readonly string[] => [
  'nsenter',
  ...(holder ? ['--user', `--target=${holder.pid}`, ...keepUser()] : []),
  `--net=${file}`,
]

/** Flags of nsenter: an ordinary user may not change users on the way into a user namespace, and root must. */
export const keepUser = (): readonly string[] =>
  process.geteuid?.() === 0 ? [] : ['--preserve-credentials']

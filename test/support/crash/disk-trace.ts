import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What the program is run under, so that `readTrace` can tell what it did. */
export const tracing = (file: string): readonly string[] => [
  ...['strace', '-f', '--seccomp-bpf', '-yy', '-s', '0', '-qq', '-o', file],
  ...['-e', `trace=${[...WRITES, ...SYNCS, ...MOVES, ...MAKES].join(',')}`],
]

const WRITES = ['write', 'writev', 'pwrite64', 'pwritev', 'ftruncate', 'sendto', 'sendmsg']
const SYNCS = ['fsync', 'fdatasync']
const MOVES = ['rename', 'renameat', 'renameat2', 'link', 'linkat']
const MAKES = ['openat', 'mkdir', 'mkdirat', 'unlink', 'unlinkat', 'rmdir']

/** Of sockets within the machine only the operator's leads to a client: by the others, processes of the server talk. */
const isClients = (target: string): boolean =>
  /^(TCP|socket)/.test(target) || /^UNIX.*\/operator\.sock"/.test(target)

export interface DiskTrace {
  /** How many answers went to a client. */
  readonly answers: number
  /** Files and folders that were on disk at some time after a change. */
  readonly synced: ReadonlySet<string>
  /** What an answer was sent before of: a file or folder whose last change a power loss would have undone. */
  readonly early: ReadonlySet<string>
}

/**
 * Follows the system calls in their order: what was written and not synced yet is at risk, and no answer may go out
 * while anything is that matters.
 */
export async function readTrace(
  file: string,
  folder: string,
  mayBeLost: (path: string) => boolean,
): Promise<DiskTrace> {
  const atRisk = new Set<string>()
  const [synced, early] = [new Set<string>(), new Set<string>()]
  const unfinished = new Map<string, string>()
  let answers = 0

  const present = new Set<string>()

  /** A name that comes or goes is a change of its folder. */
  const rename = (path: string) => {
    if (!mayBeLost(path)) change(dirname(path))
  }

  const change = (path: string) => {
    if (`${path}/`.startsWith(`${folder}/`) && !mayBeLost(path)) atRisk.add(path)
  }

  function begin(name: string, args: string): void {
    const [, target = ''] = /^\d+<(.*?)>(?:,|$| )/.exec(args) ?? []
    if (!WRITES.includes(name)) return
    if (isClients(target)) {
      answers += 1
      for (const path of atRisk) early.add(path)
    } else {
      change(target)
    }
  }

  function end(name: string, args: string): void {
    const [, target = ''] = /^\d+<(.*?)>(?:,|$| |\))/.exec(args) ?? []
    const [first = '', second = ''] = [...args.matchAll(/"([^"]*)"/g)].map(([, path]) => path ?? '')
    if (SYNCS.includes(name)) {
      if (atRisk.delete(target)) synced.add(target)
      return
    }
    if (MOVES.includes(name)) {
      if (name.startsWith('rename')) {
        if (atRisk.delete(first)) change(second)
        rename(first)
        present.delete(first)
      }
      present.add(second)
      rename(second)
    } else if (name.startsWith('unlink')) {
      // What comes back after a loss of power was meant to go, and is found to be of no use: a draft, a journal.
      atRisk.delete(first)
      present.delete(first)
    } else if ((name !== 'openat' || args.includes('O_CREAT')) && !present.has(first)) {
      present.add(first)
      rename(first)
    }
  }

  for (const line of (await readFile(file, 'utf8')).split('\n')) {
    const [, pid = '', call = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(call)
    const started = /^(\w+)\((.*)$/.exec(call)
    if (started) {
      const [, name = '', rest = ''] = started
      begin(name, rest)
      if (rest.endsWith('<unfinished ...>')) unfinished.set(pid, rest)
      else if (!/= -1 /.test(rest)) end(name, rest)
    }
    if (resumed) {
      const [, name = '', rest = ''] = resumed
      if (!/= -1 /.test(rest)) end(name, unfinished.get(pid) ?? '')
      unfinished.delete(pid)
    }
  }
  return { answers, synced, early }
}

import { spawn } from 'node:child_process'
import { readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readIfPresent } from '../lib/durable-file.ts'
import { isErrno } from '../lib/files.ts'
import type { HolderEntry } from './namespace-entry.ts'
import { NAMESPACE_FOLDER } from './namespace-names.ts'
import { COMMAND_ENVIRONMENT, CommandFailed } from './run-command.ts'

/**
 * Network namespaces can be made without root's rights inside a user namespace, and a user namespace lives as long as a
 * process in it. The holder is that process: one for all places of a data folder. It outlives a server that crashes,
 * so that programs keep their network.
 */
export type Holder = HolderEntry

/** The namespaces of a holder, as files that are open in this process: they live as long as these. */
export interface KeptNamespaces {
  readonly user: number
  readonly mount: number
  readonly network: number
}

/**
 * $1: the file in which it says who it is; before anything else, so that no crash of its parent leaves it unknown.
 * Then the command by which it gets where it stays; each step replaces the one before it.
 */
const RECORD = `
set -e
{ cat "/proc/$$/stat" /proc/sys/kernel/random/boot_id; echo "$1"; } >"$1.new"
mv "$1.new" "$1"
shift
exec "$@"
`

/** Its own /run is empty, so that iproute2 finds a place for named namespaces. */
const SETTLE = `
set -e
mount -t tmpfs -o mode=700 tmpfs /run
mkdir ${NAMESPACE_FOLDER}
`

const STAY = `
echo ready
exec sleep infinity </dev/null >/dev/null 2>&1 3<&- 4<&- 5<&-
`

const START_MS = 10_000
const END_MS = 5_000

/** The holder that an earlier server, or this one, has started for the folder; undefined when it has ended. */
export async function findHolder(folder: string): Promise<Holder | undefined> {
  const found = await lookForHolder(folder)
  return found === 'hidden' ? undefined : found
}

/** As `findHolder`; `hidden` to those who may not see what it holds, as programs in places. */
export async function lookForHolder(folder: string): Promise<Holder | 'hidden' | undefined> {
  const record = await readIfPresent(fileOf(folder))
  const [noted = '', boot, file] = record?.split('\n') ?? []
  const pid = Number.parseInt(noted, 10)
  // A copy of the folder is not the folder.
  if (!(pid > 0) || boot !== (await bootId()) || file !== fileOf(folder)) return undefined
  const current = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The same number may be another process by now, which began at another time.
  if (startOf(noted) !== startOf(current) || stateOf(current) === 'Z') return undefined
  // Whoever can write the note must not be able to name a process of somebody else.
  const { uid } = await stat(folder)
  const user = await userOf(pid)
  if (user?.uid !== uid) return undefined
  try {
    const own = await stat(`/proc/${pid}/root${NAMESPACE_FOLDER}`)
    const machines = await stat(NAMESPACE_FOLDER).catch(() => undefined)
    // Until it has a folder of its own it sees the machine's, which must not be taken for it.
    return own.dev === machines?.dev ? undefined : { pid, ...user }
  } catch (error) {
    return isErrno(error, 'EACCES') ? 'hidden' : undefined
  }
}

/**
 * Starts a holder with namespaces of its own.
 *
 * @param as what to put before a command so that it runs as the folder's owner, where that is somebody else
 * @throws CommandFailed with the words of the kernel where user namespaces are forbidden
 */
export const startHolder = (folder: string, as: readonly string[] = []): Promise<Holder> =>
  launch(folder, as, [
    ...['unshare', '--user', '--map-root-user', '--net', '--mount', '--propagation', 'slave'],
    ...['sh', '-c', SETTLE + STAY],
  ])

/** Starts a holder in the namespaces of one that has ended, so that nothing in them is lost. @throws CommandFailed */
export const reviveHolder = (folder: string, kept: KeptNamespaces): Promise<Holder> =>
  launch(
    folder,
    [],
    [
      ...['nsenter', '--preserve-credentials'],
      ...['--user=/proc/self/fd/3', '--mount=/proc/self/fd/4', '--net=/proc/self/fd/5'],
      ...['sh', '-c', STAY],
    ],
    [kept.user, kept.mount, kept.network],
  )

async function launch(
  folder: string,
  as: readonly string[],
  command: readonly string[],
  files: readonly number[] = [],
): Promise<Holder> {
  const [program = '', ...args] = [...as, 'sh', '-c', RECORD, 'causeway', fileOf(folder)]
  const child = spawn(program, [...args, ...command], {
    stdio: ['ignore', 'pipe', 'pipe', ...files],
    env: { ...COMMAND_ENVIRONMENT },
    cwd: '/',
    // A session of its own: Ctrl-C in the server's terminal is not meant for it.
    detached: true,
  })
  let complaint = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const guard = setTimeout(() => child.kill('SIGKILL'), START_MS)
  const failure = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => resolve(complaint.trim() || `${signal ?? code}`))
    child.stdout?.once('data', () => resolve(undefined))
  })
  clearTimeout(guard)
  child.stdout?.destroy()
  child.stderr?.destroy()
  child.unref()
  if (failure !== undefined) throw new CommandFailed(command, failure)
  const holder = await findHolder(folder)
  if (!holder) throw new CommandFailed(command, 'the process that holds namespaces has ended')
  return holder
}

/** Ends the folder's holder, if it has one, and waits until it is gone. */
export async function endHolder(folder: string): Promise<void> {
  const holder = await findHolder(folder)
  if (holder) {
    process.kill(holder.pid, 'SIGKILL')
    for (const deadline = Date.now() + END_MS; await findHolder(folder); await delay(5)) {
      if (Date.now() > deadline) throw new Error(`process ${holder.pid} does not end`)
    }
  }
  await rm(fileOf(folder), { force: true })
}

const fileOf = (folder: string): string => join(folder, 'holder')

const bootId = async (): Promise<string> =>
  (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()

/** The effective user and group of a process. */
async function userOf(pid: number): Promise<{ uid: number; gid: number } | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const [uid, gid] = [/^Uid:\t\d+\t(\d+)/m, /^Gid:\t\d+\t(\d+)/m].map((line) => line.exec(status))
  return uid && gid ? { uid: Number(uid[1]), gid: Number(gid[1]) } : undefined
}

/** The fields of /proc/PID/stat from the third on; the second, a name in parentheses, may hold anything. */
const fieldsOf = (line: string): readonly string[] =>
  line.slice(line.lastIndexOf(')') + 2).split(' ')

const stateOf = (line: string): string | undefined => fieldsOf(line)[0]
const startOf = (line: string): string | undefined => fieldsOf(line)[19]

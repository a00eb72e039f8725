import { spawn } from 'node:child_process'
import { access, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { readIfPresent } from '../lib/durable-file.ts'
import { NAMESPACE_FOLDER } from './namespace-names.ts'
import { COMMAND_ENVIRONMENT, CommandFailed } from './run-command.ts'

/**
 * An ordinary user may make network namespaces only inside a user namespace, and a user namespace lives as long as a
 * process in it. The holder is that process: one for all places of a data folder. It outlives a server that crashes,
 * so that programs keep their network.
 */
export interface Holder {
  readonly pid: number
}

/**
 * $1: the file in which it says who it is; before anything else, so that no crash of its parent leaves it unknown.
 * Its own /run is empty, so that iproute2 finds a place for named namespaces.
 */
const HOLD = `
set -e
{ cat "/proc/$$/stat" /proc/sys/kernel/random/boot_id; echo "$1"; } >"$1.new"
mv "$1.new" "$1"
mount -t tmpfs -o mode=700 tmpfs /run
mkdir ${NAMESPACE_FOLDER}
echo ready
exec sleep infinity </dev/null >/dev/null 2>&1
`

const START_MS = 10_000
const END_MS = 5_000

/** The holder that an earlier server, or this one, has started for the folder; undefined when it has ended. */
export async function findHolder(folder: string): Promise<Holder | undefined> {
  const record = await readIfPresent(fileOf(folder))
  const [stat = '', boot, file] = record?.split('\n') ?? []
  const pid = Number.parseInt(stat, 10)
  // A copy of the folder is not the folder.
  if (!(pid > 0) || boot !== (await bootId()) || file !== fileOf(folder)) return undefined
  const current = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The same number may be another process by now, which began at another time.
  if (startOf(stat) !== startOf(current) || stateOf(current) === 'Z') return undefined
  const isWhole = await access(`/proc/${pid}/root${NAMESPACE_FOLDER}`).then(
    () => true,
    () => false,
  )
  return isWhole ? { pid } : undefined
}

/** Starts a holder. @throws CommandFailed with the words of the kernel where user namespaces are forbidden. */
export async function startHolder(folder: string): Promise<Holder> {
  const args = ['--user', '--map-root-user', '--net', '--mount', '--propagation', 'slave']
  // A session of its own: Ctrl-C in the server's terminal is not meant for it.
  const child = spawn('unshare', [...args, 'sh', '-c', HOLD, 'causeway', fileOf(folder)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...COMMAND_ENVIRONMENT },
    cwd: '/',
    detached: true,
  })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
  })
  const guard = setTimeout(() => child.kill('SIGKILL'), START_MS)
  const failure = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => resolve(complaint.trim() || `${signal ?? code}`))
    child.stdout.once('data', () => resolve(undefined))
  })
  clearTimeout(guard)
  child.stdout.destroy()
  child.stderr.destroy()
  child.unref()
  if (failure !== undefined || child.pid === undefined) {
    throw new CommandFailed(['unshare', ...args], failure ?? 'it has no process id')
  }
  return { pid: child.pid }
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

/** The fields of /proc/PID/stat from the third on; the second, a name in parentheses, may hold anything. */
const fieldsOf = (stat: string): readonly string[] =>
  stat.slice(stat.lastIndexOf(')') + 2).split(' ')

const stateOf = (stat: string): string | undefined => fieldsOf(stat)[0]
const startOf = (stat: string): string | undefined => fieldsOf(stat)[19]

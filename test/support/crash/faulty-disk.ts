import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'

/** What the disk does at one of a thread's calls: has no room from then on, fails once, or the power goes with it. */
export type DiskFault = 'full' | 'broken' | 'killed'

/** Everything that changes a file or makes a change durable, and nothing that sockets or pipes are written with. */
export const DISK_CALLS = [
  ...[
    'pwrite64',
    'pwritev',
    'fdatasync',
    'fsync',
    'ftruncate',
    'link',
    'rename',
    'unlink',
    'mkdir',
  ],
] as const

/** Which of a thread's calls of one name goes wrong, and how; 1 is the next one. */
export interface Disturbance {
  readonly fault: DiskFault
  readonly thread: keyof DiskThreads
  readonly name: (typeof DISK_CALLS)[number]
  readonly call: number
}

const INJECTED: Readonly<Record<DiskFault, (call: number) => string>> = {
  full: (call) => `error=ENOSPC:when=${call}+`,
  broken: (call) => `error=EIO:when=${call}`,
  killed: (call) => `signal=SIGKILL:when=${call}`,
}

/** The thread that SQLite writes in, and the one that writes files where `UV_THREADPOOL_SIZE` is 1. */
export interface DiskThreads {
  readonly database: number
  readonly files: number
}

/** Of a server with one worker. */
export async function diskThreads(server: number, worker: number): Promise<DiskThreads> {
  const pool: number[] = []
  for (const thread of await readdir(`/proc/${worker}/task`)) {
    const name = await readFile(`/proc/${worker}/task/${thread}/comm`, 'utf8')
    if (name.trim() === 'libuv-worker') pool.push(Number(thread))
  }
  const [files] = pool
  assert.ok(files !== undefined && pool.length === 1, `${pool.length} threads write files`)
  return { database: server, files }
}

/**
 * Lets a thread's disk fail while `work` runs.
 *
 * @returns whether an error came, with what `work` returned; a kill shows by itself
 */
export async function withFaultyDisk<T>(
  threads: DiskThreads,
  { fault, thread, name, call }: Disturbance,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly wasTold: boolean }> {
  const strace = spawn(
    'strace',
    [
      ...['-p', String(threads[thread]), '-s', '0', '-e', `trace=${name}`],
      ...['-e', `inject=${name}:${INJECTED[fault](call)}`],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const ended = once(strace, 'close')
  let printed = ''
  try {
    await new Promise<void>((resolve, reject) => {
      strace.stderr.on('data', (text) => {
        printed += text
        if (printed.includes('attached')) resolve()
      })
      strace.once('exit', () => reject(new Error(`strace ended: ${printed}`)))
    })
    const result = await work()
    strace.kill('SIGINT')
    await ended
    return { result, wasTold: printed.includes('(INJECTED)') }
  } finally {
    strace.kill('SIGKILL')
  }
}

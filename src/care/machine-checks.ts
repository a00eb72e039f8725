import { constants } from 'node:fs'
import { access, lstat, readFile, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { exists } from '../lib/exists.ts'
import { type Finding, failed, ok, warning } from './finding.ts'

const TOOLS = {
  ip: 'iproute2',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  setpriv: 'util-linux',
  tar: 'tar',
}
const OPEN_FILES_MIN = 4096
const FREE_INODES_MIN = 10_000
const GIBIBYTE = 2 ** 30

export function checkSystem(): Finding {
  const found = `${process.platform} ${process.arch}, Node ${process.versions.node}`
  if (process.platform === 'linux') return ok('system', found)
  return failed(
    'system',
    found,
    'Places need Linux, real or virtual; the control plane serves anywhere.',
  )
}

/** `searchPath` is the caller's PATH. */
export async function checkTools(searchPath: string): Promise<Finding> {
  const missing: string[] = []
  for (const tool of Object.keys(TOOLS)) {
    if (!(await isOnPath(tool, searchPath))) missing.push(tool)
  }
  if (missing.length === 0) return ok('tools', Object.keys(TOOLS).join(', '))
  const packages = new Set(missing.map((tool) => TOOLS[tool as keyof typeof TOOLS]))
  return failed(
    'tools',
    `missing: ${missing.join(', ')}`,
    `Install ${[...packages].join(' and ')}.`,
  )
}

async function isOnPath(tool: string, searchPath: string): Promise<boolean> {
  for (const folder of [...searchPath.split(delimiter), '/usr/sbin', '/sbin']) {
    const found = await access(join(folder, tool), constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return true
  }
  return false
}

/** Each connection and each listener is one open file. */
export async function checkOpenFiles(): Promise<Finding> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const soft = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY)
  const found = `${soft} open files at most`
  if (soft >= OPEN_FILES_MIN) return ok('limits', found)
  return warning(
    'limits',
    found,
    `Raise it: 'ulimit -n ${OPEN_FILES_MIN}', or LimitNOFILE= in a unit.`,
  )
}

const CLIENTS = ['az', 'docker', 'skopeo', 'dig']

/** Tells of clients that people use with it; none of them is needed. */
export async function checkClients(searchPath: string): Promise<Finding> {
  const here = await Promise.all(CLIENTS.map((client) => isOnPath(client, searchPath)))
  const found = CLIENTS.map((client, index) => (here[index] ? client : `no ${client}`))
  return ok('clients', found.join(', '))
}

/** What is compiled is run later: nobody else may write there. */
export async function checkCompileCache(home: string): Promise<Finding> {
  const folder = join(home, '.cache', 'causeway')
  const state = await lstat(folder).catch(() => undefined)
  if (!state) return ok('cache', `none at ${folder} yet`)
  const isOwn = state.isDirectory() && state.uid === process.geteuid?.()
  if (isOwn && (state.mode & 0o022) === 0) return ok('cache', folder)
  return failed(
    'cache',
    `others may write to ${folder}, from which compiled code is run`,
    `rm -r ${folder}; the next start makes it anew.`,
  )
}

/** `folder` exists. File systems that count no inodes say that there are none at all. */
export async function checkInodes(folder: string): Promise<Finding> {
  const { files, ffree } = await statfs(folder)
  if (files === 0) return ok('inodes', `not counted at ${folder}`)
  const found = `${ffree} free at ${folder}`
  if (ffree >= FREE_INODES_MIN) return ok('inodes', found)
  return warning('inodes', found, 'Remove files: each layer is one, and a push needs a few more.')
}

/** Whether something keeps the clock right, as far as systemd tells. */
export async function checkTimeService(): Promise<Finding> {
  const isSynchronised = await exists('/run/systemd/timesync/synchronized')
  return ok('time', isSynchronised ? 'kept by NTP' : 'systemd-timesyncd does not keep the clock')
}

/** `folder` exists. */
export async function checkDisk(folder: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const found = `${(free / GIBIBYTE).toFixed(1)} GiB free at ${folder}`
  const cure =
    'Make room, or keep the data elsewhere with --data: a push that finds no room is refused.'
  if (free < GIBIBYTE / 4) return failed('disk', found, cure)
  return free < 5 * GIBIBYTE ? warning('disk', found, cure) : ok('disk', found)
}

/** `isOurs`: the server of this data folder has it. */
export async function checkPort(port: number, isOurs: boolean): Promise<Finding> {
  if (isOurs) return ok('port', `${port} on loopback, by this server`)
  const refusal = await tryToListen(port)
  if (!refusal) return ok('port', `${port} on loopback is free`)
  return failed(
    'port',
    `${port} on loopback cannot be had: ${refusal}`,
    "Name another with 'causeway up --port N'; 0 takes a free one.",
  )
}

function tryToListen(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(undefined)))
  })
}

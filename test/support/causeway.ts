import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { ServerStatus } from '../../src/operator/contract.ts'
import { findHolder } from '../../src/places/holder.ts'
import { createNamespaceDriver } from '../../src/places/namespace-driver.ts'
import { enterAsOwner } from '../../src/places/namespace-entry.ts'
import { describeDataFolder } from '../../src/storage/data-folder.ts'
import { type Finished, type RunOptions, run, succeeded } from './run.ts'
import { projectFolder } from './shared-data.ts'

const READY = 'Causeway is serving.'
const START_SECONDS = 60

/** Where a program stands: outside every network, or in one. */
export type Where =
  | { readonly internet: true }
  | { readonly vnet: string; readonly resourceGroup?: string; readonly subnet?: string }

export interface PlaceOptions {
  readonly input?: string
  /** Added to the environment that the place gives. */
  readonly variables?: Readonly<Record<string, string>>
  /** Of the caller, before the place changes it. */
  readonly environment?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly as?: string
  readonly root?: boolean
  readonly timeoutSeconds?: number
}

/** Somebody else than the one who runs the tests; only root can have servers of others. */
export interface User {
  readonly uid: number
  readonly gid: number
}

/** A real server with a data folder of its own, driven by the command line alone. */
export interface Causeway {
  readonly dataFolder: string
  /** Everything that `up` has printed so far. */
  readonly printed: () => string
  status(): Promise<ServerStatus>
  /** Runs `causeway ARGS…` on this data folder. */
  command(args: readonly string[], options?: RunOptions): Promise<Finished>
  /** Runs a program in a place to its end. */
  inPlace(where: Where, command: readonly string[], options?: PlaceOptions): Promise<Finished>
  /** The arguments of the program that `inPlace` would run, for those who start it themselves. */
  placeArguments(
    where: Where,
    command: readonly string[],
    options?: PlaceOptions,
  ): readonly [file: string, ...args: string[]]
  /** Sends a signal to the server and waits for its end. Returns its exit code, 128 + n after signal n. */
  end(signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): Promise<number>
  /** Waits for an end that somebody else has asked for. Returns the exit code. */
  ended(): Promise<number>
  /** Starts a server on the same data folder again. */
  startAgain(): Promise<void>
  /** Starts a server and kills it after so long, wherever it is then. */
  dieStarting(milliseconds: number): Promise<void>
  /** The process id of the server that was started last. */
  serverPid(): number
  /** What to put before a command so that it runs in one of the server's namespaces, as its router. */
  inside(namespace: string): Promise<readonly string[]>
  /** The network namespaces that this server has on the machine. */
  namespaces(): Promise<readonly string[]>
  /** Ends it, removes its places and its data, and complains of whatever stays behind. */
  remove(): Promise<void>
}

export const internet: Where = { internet: true }

/**
 * Starts `causeway up` on a new data folder and a free port and waits until it serves. Whoever calls it calls
 * `remove` in an `after` hook. `setUp` has the article's set-up made, as `npm start` does; `user` is whose server it is;
 * `owner` has the data folder, and root starts the server on it; `configuration` is the text of its configuration file;
 * `prepare` puts into the data folder what is to be found there; `within` is the command that enters the namespaces in
 * which all of it is to run; `under` is a command that the first server alone runs under; `workers` serve registries.
 */
export async function startCauseway(
  options: {
    setUp?: boolean
    user?: User
    owner?: User
    port?: number
    configuration?: string
    prepare?: (dataFolder: string) => void
    within?: readonly string[]
    under?: readonly string[]
    workers?: number
  } = {},
): Promise<Causeway> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'causeway-test-'))
  const configFile = `${dataFolder}.yaml`
  if (options.configuration !== undefined) await writeFile(configFile, options.configuration)
  const { user, within = [] } = options
  options.prepare?.(dataFolder)
  const owner = options.owner ?? user
  if (owner) await chown(dataFolder, owner.uid, owner.gid)
  const [program = '', ...asUser] = [...within, ...commandOf(user)]
  const args = [
    ...asUser,
    'up',
    '--data',
    dataFolder,
    '--port',
    String(options.port ?? 0),
    ...(options.setUp ? [] : ['--empty']),
    ...(options.workers === undefined ? [] : ['--workers', String(options.workers)]),
    ...(options.configuration === undefined ? [] : ['--config', configFile]),
  ]
  const { mark, run: runFolder } = await describeDataFolder(dataFolder)
  const driver = createNamespaceDriver(runFolder)
  const namespaces = async () => [...(await driver.list(`cw-${mark}-`)).keys()]
  const [first = program, ...firstArgs] = [...(options.under ?? []), program, ...args]
  let server = await startServer(first, firstArgs).catch(async (error) => {
    await run(program, [...asUser, 'down', '--purge', '--data', dataFolder])
    await rm(dataFolder, { recursive: true, force: true })
    throw error
  })

  const command: Causeway['command'] = (commandArgs, runOptions) =>
    run(program, [...asUser, ...commandArgs], {
      ...runOptions,
      environment: { ...(runOptions?.environment ?? process.env), CAUSEWAY_DATA: dataFolder },
    })

  const placeArguments: Causeway['placeArguments'] = (where, placeCommand, placeOptions = {}) => [
    program,
    ...asUser,
    'exec',
    '--data',
    dataFolder,
    ...flagsOf(where),
    ...(placeOptions.as ? ['--as', placeOptions.as] : []),
    ...(placeOptions.root ? ['--root'] : []),
    '--',
    // Set by `env` inside, since a place decides for itself what it inherits.
    ...variablesOf(placeOptions.variables),
    ...placeCommand,
  ]

  const status = async (): Promise<ServerStatus> => {
    const finished = await command(['status', '--json'])
    assert.notEqual(finished.stdout.trim(), '', `'status' printed nothing: ${finished.stderr}`)
    return JSON.parse(finished.stdout) as ServerStatus
  }

  return {
    dataFolder,
    printed: () => server.printed(),
    status,
    namespaces,
    command,
    placeArguments,
    inPlace: (where, placeCommand, placeOptions = {}) => {
      const [file, ...rest] = placeArguments(where, placeCommand, placeOptions)
      return run(file, rest, placeOptions)
    },
    end: (signal) => server.end(signal),
    ended: () => server.ended,
    async startAgain() {
      assert.ok(server.hasEnded(), 'the server still runs')
      server = await startServer(program, args)
    },
    async dieStarting(milliseconds) {
      assert.ok(server.hasEnded(), 'the server still runs')
      const child = spawn(program, args, { stdio: 'ignore' })
      const exited = once(child, 'exit')
      await delay(milliseconds)
      child.kill('SIGKILL')
      await exited
    },
    serverPid: () => server.pid,
    inside: async (namespace) => enterAsOwner(await driver.entry(namespace)),
    async remove() {
      const holder = await findHolder(runFolder)
      const down = await command(['down', '--purge'], { timeoutSeconds: 60 })
      await server.end('SIGTERM')
      const left = await namespaces()
      for (const namespace of left) await driver.remove(namespace)
      const holderStays = holder !== undefined && isRunning(holder.pid)
      const folderStays = existsSync(dataFolder)
      await rm(dataFolder, { recursive: true, force: true })
      await rm(configFile, { force: true })
      succeeded(down)
      assert.deepEqual(left, [], 'namespaces were left behind')
      assert.equal(holderStays, false, 'the holder of namespaces was left behind')
      assert.equal(folderStays, false, `'down --purge' left ${dataFolder}`)
    },
  }
}

/** Whether a process runs: one that waits to be reaped does not. */
export function isRunning(pid: number): boolean {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return line.at(line.lastIndexOf(')') + 2) !== 'Z'
  } catch {
    return false
  }
}

interface Server {
  readonly pid: number
  printed(): string
  hasEnded(): boolean
  readonly ended: Promise<number>
  end(signal: NodeJS.Signals): Promise<number>
}

function startServer(program: string, args: readonly string[]): Promise<Server> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  // Whatever ends this process must not leave a server and its namespaces behind.
  const stopWithUs = () => void child.kill('SIGTERM')
  process.once('exit', stopWithUs)
  const ended = new Promise<number>((resolve) => {
    child.once('close', (code, signal) => {
      process.off('exit', stopWithUs)
      resolve(code ?? (signal === 'SIGKILL' ? 137 : 143))
    })
  })
  let printed = ''
  const collect = (text: string) => {
    printed += text
  }
  child.stdout.setEncoding('utf8').on('data', collect)
  child.stderr.setEncoding('utf8').on('data', collect)

  const server: Server = {
    pid: child.pid ?? 0,
    printed: () => printed,
    hasEnded: () => hasEnded(child),
    ended,
    async end(signal) {
      if (!hasEnded(child)) child.kill(signal)
      return ended
    },
  }
  return new Promise((resolve, reject) => {
    const giveUp = (reason: string) => {
      clearTimeout(timer)
      child.kill('SIGTERM')
      reject(new Error(`the server ${reason}\n${printed}`))
    }
    const timer = setTimeout(
      () => giveUp(`was not ready in ${START_SECONDS} s`),
      START_SECONDS * 1000,
    )
    child.once('error', reject)
    child.stdout.on('data', () => {
      if (!printed.includes(READY)) return
      clearTimeout(timer)
      resolve(server)
    })
    ended.then((code) => giveUp(`ended with ${code} before it served`))
  })
}

const hasEnded = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null

const flagsOf = (where: Where): readonly string[] =>
  'internet' in where
    ? ['--internet']
    : [
        '--vnet',
        where.vnet,
        ...(where.resourceGroup ? ['--resource-group', where.resourceGroup] : []),
        ...(where.subnet ? ['--subnet', where.subnet] : []),
      ]

function variablesOf(variables: Readonly<Record<string, string>> = {}): readonly string[] {
  const pairs = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  return pairs.length === 0 ? [] : ['env', ...pairs]
}

/** `causeway`, as a user may call it. */
export function commandOf(user: User | undefined): [file: string, ...args: string[]] {
  const causeway = join(projectFolder, 'bin/causeway')
  if (!user) return [causeway]
  const identity = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups']
  return ['setpriv', ...identity, '--', causeway]
}

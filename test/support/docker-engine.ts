import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Causeway, PlaceOptions, Where } from './causeway.ts'
import type { Finished } from './run.ts'

const START_SECONDS = 60
const READY = 'API listen on'

/** A Docker Engine of its own inside a place: its pulls leave from there, not from the machine. */
export interface DockerEngine {
  /** `unix://…`, for DOCKER_HOST. */
  readonly host: string
  /** Runs `docker ARGS…` in the engine's place. */
  docker(args: readonly string[], options?: PlaceOptions): Promise<Finished>
  /** Ends it and removes everything that it has stored. */
  stop(): Promise<void>
}

/** Starts dockerd in a place and waits until its API listens. Needs root. */
export async function startDockerEngine(causeway: Causeway, where: Where): Promise<DockerEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-docker-'))
  const host = `unix://${folder}/docker.sock`
  const pidFile = join(folder, 'dockerd.pid')
  const configFile = join(folder, 'daemon.json')
  // The machine's own engine may be configured; this one is not to inherit that.
  await writeFile(configFile, '{}')
  const [file, ...args] = causeway.placeArguments(
    where,
    [
      'dockerd',
      `--host=${host}`,
      `--data-root=${folder}/data`,
      `--exec-root=${folder}/exec`,
      `--pidfile=${pidFile}`,
      `--config-file=${configFile}`,
      // Containers here use no network or the place's own; the machine's firewall is not ours to change.
      '--bridge=none',
      '--iptables=false',
      '--ip6tables=false',
      '--ip-masq=false',
    ],
    { root: true },
  )
  const daemon = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<void>((resolve) => {
    daemon.once('close', () => resolve())
  })

  const stop = async () => {
    // Not the program in between, which would leave containerd behind: dockerd ends what it has started.
    const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''))
    if (pid > 0) process.kill(pid, 'SIGTERM')
    else daemon.kill('SIGTERM')
    await ended
    // Its mounts were made in a mount namespace that has ended with it.
    await rm(folder, { recursive: true, force: true })
  }

  try {
    await whenReady(daemon, ended)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    host,
    docker: (dockerArgs, options = {}) =>
      causeway.inPlace(where, ['docker', ...dockerArgs], {
        root: true,
        ...options,
        variables: { DOCKER_HOST: host, ...options.variables },
      }),
    stop,
  }
}

function whenReady(daemon: ChildProcess, ended: Promise<void>): Promise<void> {
  let log = ''
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => {
      clearTimeout(timer)
      reject(new Error(`dockerd ${reason}\n${log}`))
    }
    const timer = setTimeout(
      () => fail(`was not ready in ${START_SECONDS} s`),
      START_SECONDS * 1000,
    )
    const read = (text: string) => {
      log += text
      if (!log.includes(READY)) return
      clearTimeout(timer)
      resolve()
    }
    daemon.stdout?.setEncoding('utf8').on('data', read)
    daemon.stderr?.setEncoding('utf8').on('data', read)
    daemon.once('error', (error) => fail(`could not be started: ${error.message}`))
    ended.then(() => fail('ended before it was ready'))
  })
}

import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Causeway, PlaceOptions, Where } from './causeway.ts'
import type { Finished } from './run.ts'

const START_SECONDS = 60

/** A containerd of its own inside a place. */
export interface Containerd {
  /** Runs `ctr ARGS…` in its place. */
  ctr(args: readonly string[], options?: PlaceOptions): Promise<Finished>
  /** Ends it and removes everything that it has stored. */
  stop(): Promise<void>
}

/** Starts containerd in a place and waits until it answers. Needs root. */
export async function startContainerd(causeway: Causeway, where: Where): Promise<Containerd> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-containerd-'))
  const socket = join(folder, 'containerd.sock')
  const config = join(folder, 'config.toml')
  await writeFile(
    config,
    `version = 2
root = "${folder}/root"
state = "${folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "${socket}"
`,
  )
  const [file, ...args] = causeway.placeArguments(where, ['containerd', '--config', config], {
    root: true,
  })
  const daemon = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<void>((resolve) => {
    daemon.once('close', () => resolve())
  })
  let log = ''
  daemon.stderr.on('data', (text) => {
    log = `${log}${text}`.slice(-10_000)
  })

  const ctr: Containerd['ctr'] = (ctrArgs, options = {}) =>
    causeway.inPlace(where, ['ctr', '--address', socket, ...ctrArgs], { root: true, ...options })

  async function stop(): Promise<void> {
    daemon.kill('SIGTERM')
    await ended
    await rm(folder, { recursive: true, force: true })
  }

  const late = Date.now() + START_SECONDS * 1000
  while ((await ctr(['version'])).code !== 0) {
    if (daemon.exitCode === null && Date.now() < late) {
      await delay(200)
      continue
    }
    await stop()
    throw new Error(`containerd did not answer\n${log}`)
  }
  return { ctr, stop }
}

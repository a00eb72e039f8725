import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withFile } from '../support/host-names.ts'
import { type Finished, type RunOptions, run, succeeded } from '../support/run.ts'

/** Another machine on the same network, with an address and a resolver of its own. */
export interface Neighbour {
  run(command: readonly string[], options?: RunOptions): Promise<Finished>
  close(): Promise<void>
}

// However this process ends, the other machine must not stay.
const ENDS_WITH_US = ['setpriv', '--pdeathsig', 'KILL']

/** Joins the network namespace of this process with a new one by a cable. The resolver is at `own`. */
export async function connectNeighbour(options: {
  readonly own: string
  readonly neighbour: string
  readonly folder: string
}): Promise<Neighbour> {
  const { own, neighbour, folder } = options
  const machine = spawn('unshare', ['--net', ...ENDS_WITH_US, 'sleep', 'infinity'], {
    stdio: 'ignore',
  })
  const pid = machine.pid ?? assert.fail('no second machine')
  const enter = ['nsenter', `--net=/proc/${pid}/ns/net`]
  const ip = async (...args: readonly string[]) => succeeded(await run('ip', args))
  const ipThere = async (...args: readonly string[]) =>
    succeeded(await run('nsenter', [...enter.slice(1), 'ip', ...args]))

  const here = await readlink('/proc/self/ns/net')
  for (const deadline = Date.now() + 10_000; (await readlink(`/proc/${pid}/ns/net`)) === here; ) {
    assert.ok(Date.now() < deadline, 'the second machine did not come up')
  }
  await ip('link', 'set', 'lo', 'up')
  await ip('link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'lan', 'netns', String(pid))
  await ip('address', 'add', `${own}/24`, 'dev', 'lan')
  await ip('link', 'set', 'lan', 'up')
  await ipThere('address', 'add', `${neighbour}/24`, 'dev', 'lan')
  await ipThere('link', 'set', 'lan', 'up')
  const resolvConf = join(folder, 'resolv.conf')
  await writeFile(resolvConf, `nameserver ${own}\n`)

  return {
    run(command, runOptions) {
      const [file, ...args] = withFile(resolvConf, '/etc/resolv.conf', [...enter, ...command])
      return run(file, args, runOptions)
    },
    async close() {
      machine.kill('SIGKILL')
      if (machine.exitCode === null && machine.signalCode === null) await once(machine, 'exit')
    },
  }
}

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, succeeded } from './run.ts'

/** Network and mount namespaces with loopback and one way out, which leads nowhere and counts what takes it. */
export interface SealedMachine {
  /** The command that enters. */
  readonly within: readonly string[]
  /** Packets that have left so far: a question for an address is one, and so is a connection. */
  packetsOut(): Promise<number>
  close(): Promise<void>
}

const SET_UP = `
ip link set lo up
echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
ip link add out type veth peer name nowhere
ip address add 192.0.2.1/24 dev out
ip link set out arp off up
ip link set nowhere up
ip route add default via 192.0.2.254
mount --bind "$1" "$(readlink -f /etc/resolv.conf)"
echo ready
exec sleep infinity
`

/** Needs root. */
export async function sealMachine(): Promise<SealedMachine> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-sealed-'))
  const resolvConf = join(folder, 'resolv.conf')
  await writeFile(resolvConf, 'nameserver 192.0.2.53\noptions timeout:1 attempts:1\n')
  const script = ['sh', '-ec', SET_UP, 'sh', resolvConf]
  const keeper = spawn('unshare', ['--net', '--mount', ...script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(keeper, 'exit')
  const [first] = await Promise.race([once(keeper.stdout, 'data'), ended])
  assert.equal(String(first).trim(), 'ready')
  const within = ['nsenter', `--target=${keeper.pid}`, '--net', '--mount', '--']
  return {
    within,
    async packetsOut() {
      const [file = '', ...args] = [...within, 'ip', '-json', '-statistics', 'link', 'show', 'out']
      const [link] = JSON.parse(succeeded(await run(file, args)))
      return link.stats64.tx.packets as number
    },
    async close() {
      keeper.kill('SIGKILL')
      await ended
      await rm(folder, { recursive: true })
    },
  }
}

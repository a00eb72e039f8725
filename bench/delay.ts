/**
 * How long names and the control plane take to answer while registries are busy, with and without workers. The load is
 * as many clients as asked for on loopback, each pulling or pushing a blob over TLS again and again.
 */
import { createHash, randomBytes } from 'node:crypto'
import dgram from 'node:dgram'
import events from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stdout } from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import dnsPacket from 'dns-packet'
import { createArmClient } from '../test/support/arm-client.ts'
import { startCauseway } from '../test/support/causeway.ts'
import { keepConnection } from '../test/support/kept-connection.ts'
import { adminOf, makeGroup, makeRegistry } from '../test/support/private-registry.ts'
import { run } from '../test/support/run.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '20' },
    clients: { type: 'string', default: '8' },
    mebibytes: { type: 'string', default: '100' },
    workers: { type: 'string', default: '2' },
  },
})

const MEBIBYTE = 2 ** 20
const EVERY_MS = 10
const SECONDS = Number(values.seconds)
const BYTES = Number(values.mebibytes) * MEBIBYTE
const CLIENTS = Number(values.clients)

/** Milliseconds. */
interface Latency {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

interface Row {
  readonly workers: number
  readonly load: 'none' | 'pulls' | 'pushes' | 'both'
  readonly names: Latency
  readonly control: Latency
  /** Of all clients, in MiB each second. */
  readonly moved: number
}

const folder = await mkdtemp(join(tmpdir(), 'cw-delay-'))
try {
  const rows: Row[] = []
  for (const workers of [0, Number(values.workers)]) rows.push(...(await measure(workers)))
  if (values.json) stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
  else show(rows)
} finally {
  await rm(folder, { recursive: true })
}

async function measure(workers: number): Promise<readonly Row[]> {
  if (!values.json) stdout.write(`… ${workers} workers\n`)
  const causeway = await startCauseway({ workers })
  try {
    const arm = await createArmClient(causeway)
    const registry = await makeRegistry(arm, await makeGroup(arm, 'delay'), 'delayhouse')
    const { username, password } = await adminOf(arm, registry)
    const { port, authorities, host } = await causeway.status()
    const name = 'delayhouse.localhost'
    const url = `https://${name}:${port}`
    const bytes = randomBytes(BYTES)
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    const file = join(folder, 'blob')
    await writeFile(file, bytes)
    const curl = (...args: readonly string[]) =>
      run('curl', [
        ...['-sS', '--fail', '--http1.1', '--noproxy', '*', '--cacert', authorities.host],
        ...['--resolve', `${name}:${port}:127.0.0.1`, '--user', `${username}:${password}`],
        ...['--output', '/dev/null', '--header', 'Expect:', ...args],
      ])
    const push = () =>
      curl('-X', 'POST', '-T', file, `${url}/v2/delay/blobs/uploads?digest=${digest}`)
    const pull = () => curl(`${url}/v2/delay/blobs/${digest}`)
    const first = await push()
    if (first.code !== 0) throw new Error(first.stderr)

    const ca = await readFile(authorities.host, 'utf8')
    const rows: Row[] = []
    for (const load of ['none', 'pulls', 'pushes', 'both'] as const) {
      const clients = load === 'none' ? 0 : CLIENTS
      const work = (index: number) =>
        load === 'pulls' || (load === 'both' && index % 2 === 0) ? pull : push
      let isOver = false
      let moved = 0
      const began = performance.now()
      const busy = Array.from({ length: clients }, async (_, index) => {
        while (!isOver) {
          const { code, stderr } = await work(index)()
          if (code !== 0) throw new Error(stderr)
          moved += BYTES
        }
      })
      // A client that fails is met when all have ended.
      for (const each of busy) each.catch(() => {})
      await delay(1000)
      const [names, control] = await Promise.all([
        sampleNames(host.names[0] ?? ''),
        sampleControl(`https://localhost:${port}`, ca),
      ])
      isOver = true
      await Promise.all(busy)
      const seconds = (performance.now() - began) / 1000
      rows.push({ workers, load, names, control, moved: moved / MEBIBYTE / seconds })
    }
    return rows
  } finally {
    await causeway.remove()
  }
}

/** Asks the resolver for an address, over and over. */
async function sampleNames(resolver: string): Promise<Latency> {
  const [address, port] = resolver.split(':')
  const socket = dgram.createSocket('udp4')
  socket.connect(Number(port), address)
  await events.once(socket, 'connect')
  let id = 0
  const latency = await sample(async () => {
    id += 1
    const question = { type: 'A', name: 'delayhouse.azurecr.io' } as const
    socket.send(dnsPacket.encode({ type: 'query', id, questions: [question] }))
    const [answer] = (await events.once(socket, 'message')) as [Buffer]
    if (dnsPacket.decode(answer).id !== id) throw new Error('an answer to another question')
  })
  socket.close()
  return latency
}

/** Asks the control plane for what needs no sign-in, each time on a connection of its own, as az does. */
function sampleControl(url: string, ca: string): Promise<Latency> {
  return sample(async () => {
    const connection = keepConnection(url, ca)
    const { status } = await connection.send('GET', '/metadata/endpoints?api-version=2022-09-01')
    connection.close()
    if (status !== 200) throw new Error(`the control plane answered ${status}`)
  })
}

async function sample(work: () => Promise<void>): Promise<Latency> {
  const taken: number[] = []
  for (const end = performance.now() + SECONDS * 1000; performance.now() < end; ) {
    const began = performance.now()
    await work()
    taken.push(performance.now() - began)
    await delay(EVERY_MS)
  }
  const sorted = taken.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

function show(rows: readonly Row[]): void {
  const text = ({ p50, p99, max }: Latency) =>
    [p50, p99, max].map((value) => value.toFixed(1).padStart(7)).join(' ')
  stdout.write('workers load     MiB/s   names: p50 / p99 / max ms   control: p50 / p99 / max ms\n')
  for (const { workers, load, names, control, moved } of rows) {
    const head = `${String(workers).padStart(7)} ${load.padEnd(7)} ${moved.toFixed(0).padStart(6)}`
    stdout.write(`${head}   ${text(names)}     ${text(control)}\n`)
  }
}

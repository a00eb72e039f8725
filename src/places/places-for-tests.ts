import { execFile, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { pino } from 'pino'
import { createPlaces, type Places } from './create-places.ts'
import { enterCommand, type ProgramCommand, type ProgramUser } from './enter.ts'
import type { Closable, Listeners } from './listeners.ts'
import { createNamespaceDriver, type NamespaceDriver } from './namespace-driver.ts'
import type { EndpointListener, NetworkFacts } from './network-source.ts'
import type { Attachment } from './programs.ts'
import { removeNamespaces } from './remove-namespaces.ts'

const CAN_HAVE_PLACES = spawnSync('unshare', ['--user', '--map-root-user', 'true']).status === 0

/** A reason to skip, unless this is CI, where a missing need is a failure. */
export const withoutPlaces: string | false =
  CAN_HAVE_PLACES || process.env.CAUSEWAY_CI === '1' ? false : 'user namespaces are forbidden'

export const isRoot = process.geteuid?.() === 0

export const PUBLIC_ADDRESS = '20.45.122.144'

export const randomMark = (): string => randomBytes(4).toString('hex')

/** A network 10.0.0.0/16 with the subnet 10.0.0.0/24, whose place is `net-<key>`. */
export function network(
  key: string,
  listeners: readonly EndpointListener[] = [],
  prefix = '10.0.0.0/24',
): NetworkFacts {
  return {
    id: `/networks/${key}`,
    name: key,
    resourceGroup: 'group',
    location: 'westeurope',
    place: `net-${key}`,
    egressAddress: '20.1.1.1',
    dnsServers: [],
    addressPrefixes: ['10.0.0.0/16'],
    subnets: [{ id: `/networks/${key}/subnets/default`, name: 'default', prefix }],
    takenAddresses: listeners.map(({ address }) => address),
    listeners,
  }
}

export const listener = (endpoint: string, address: string): EndpointListener => ({
  endpoint,
  address,
  host: `${endpoint}.example`,
})

/** Says on each connection where it came in, then echoes until the client ends; DNS returns what it was asked. */
export const tellingListeners: Listeners = {
  https: (server, where) =>
    serve(
      server,
      `${where.via === 'endpoint' ? where.endpoint : where.egressAddress} of ${where.place}`,
    ),
  dnsTcp: (server, place) => serve(server, `names of ${place}`),
  metadata: (server, place) => serve(server, `metadata of ${place}`),
  dnsUdp(socket, place) {
    socket.on('message', (_, from) => socket.send(`names of ${place}`, from.port, from.address))
    return { close: () => new Promise((resolve) => socket.close(() => resolve())) }
  },
}

function serve(server: net.Server, greeting: string): Closable {
  const open = new Set<net.Socket>()
  server.on('connection', (socket) => {
    open.add(socket)
    socket.on('error', () => {}).once('close', () => open.delete(socket))
    socket.write(`${greeting} to ${socket.remoteAddress}\n`)
    socket.pipe(socket)
  })
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}

export interface TestPlaces {
  readonly places: Places
  readonly mark: string
  readonly folder: string
  readonly driver: NamespaceDriver
  networks: readonly NetworkFacts[]
}

/** Places of a mark of their own; `networks` may be replaced before each reconcile. All is removed when the test ends. */
export async function testPlaces(
  t: TestContext,
  options: {
    mark?: string
    folder?: string
    /** Stands between the places and the kernel. */
    amid?: (driver: NamespaceDriver) => NamespaceDriver
  } = {},
): Promise<TestPlaces> {
  const mark = options.mark ?? randomMark()
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'places-')))
  const driver = createNamespaceDriver(folder)
  const caBundle = join(folder, 'bundle.pem')
  await writeFile(caBundle, 'the trust store of places\n')
  const state: TestPlaces = {
    mark,
    folder,
    driver,
    networks: [],
    places: createPlaces({
      mark,
      folder: join(folder, 'places'),
      source: { list: () => state.networks },
      publicAddresses: [PUBLIC_ADDRESS],
      listeners: tellingListeners,
      caBundle,
      log: pino({ level: 'silent' }),
      driver: options.amid?.(driver) ?? driver,
    }),
  }
  t.after(async () => {
    await state.places.close()
    await removeNamespaces(mark, driver)
    await rm(folder, { recursive: true, force: true })
  })
  return state
}

export interface Outcome {
  readonly code: number
  readonly output: string
  readonly complaint: string
}

/** Runs a program at an attachment to its end, by default as the owner. */
export function runAt(
  attachment: Pick<Attachment, 'entry' | 'files'>,
  program: Omit<ProgramCommand, 'user'> & { readonly user?: ProgramUser },
): Promise<Outcome> {
  const { file, args } = enterCommand(attachment, { user: { as: 'owner' }, ...program })
  return new Promise((resolve) => {
    execFile(file, [...args], { timeout: 20_000 }, (error, output, complaint) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, output, complaint })
    })
  })
}

/** The greeting heard at an address, or the reason why there was none. */
export async function hear(
  attachment: Pick<Attachment, 'entry' | 'files'>,
  address: string,
  port = 443,
): Promise<string> {
  const { code, output, complaint } = await runAt(attachment, {
    command: 'timeout',
    args: ['3', 'bash', '-c', `exec 3<>/dev/tcp/${address}/${port} && head -1 <&3`],
  })
  if (code === 0) return output.trim()
  return (
    /(refused|unreachable|No route)/.exec(complaint)?.[1] ?? (code === 124 ? 'timeout' : complaint)
  )
}

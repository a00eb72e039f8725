import { readConfig } from '../config.ts'
import type { ServerStatus, WorkerSummary } from '../operator/contract.ts'
import { describeDataFolder } from '../storage/data-folder.ts'
import { createOperatorClient, NotRunning } from './operator-client.ts'
import { bad, good, print, printJson, strong, table } from './terminal.ts'

/** Exit code 0 only when control plane, registry, names and places all serve. */
export async function status(flags: { data?: string; json?: boolean }): Promise<number> {
  const config = await readConfig(flags)
  const folder = await describeDataFolder(config.dataFolder)
  const server = await createOperatorClient(folder.operatorSocket, folder.path)
    .call<ServerStatus>('GET', '/status')
    .catch((error) => {
      if (error instanceof NotRunning) return undefined
      throw error
    })
  if (!server) {
    if (flags.json) {
      printJson({ state: 'stopped', version: config.version, dataFolder: folder.path })
    } else {
      print(`${bad('stopped')}: no server runs on ${folder.path}; 'causeway up' starts one.`)
    }
    return 1
  }
  if (flags.json) printJson(server)
  else describe(server)
  return server.state === 'serving' ? 0 : 1
}

function describe(server: ServerStatus): void {
  const state = server.state === 'serving' ? good(server.state) : bad(server.state)
  print(`Causeway ${server.version}: ${state} since ${server.startedAt}, process ${server.pid}`)
  print()
  for (const [name, value] of [
    ['control plane', server.urls.control],
    ['authority', server.urls.authority],
    ['registries', describeRegistries(server)],
    ['names', server.host.names.join(' ') || '-'],
    ['workers', server.workers.map(describeWorker).join(', ') || 'none; the server itself'],
    ['data folder', server.dataFolder],
    ['tenant', server.tenantId],
    ['subscription', server.subscriptionId],
    ['CA of localhost', server.authorities.host],
    ['CA in places', server.authorities.place],
  ] as const) {
    print(`${strong(name.padEnd(16))}${value}`)
  }
  describeHost(server)
  for (const line of server.imports.map(describeImport)) {
    print(`${strong('import'.padEnd(16))}${line}`)
  }
  print()
  if (server.placesUnavailable) {
    print(`${bad('no places')}: ${server.placesUnavailable.cause} ${server.placesUnavailable.cure}`)
    return
  }
  print(
    table(
      ['PLACE', 'GROUP', 'STATE', 'NAMESPACE', 'ENDPOINTS', 'PROGRAMS'],
      server.places.map((place) => [
        place.name,
        place.resourceGroup ?? '-',
        place.state,
        place.namespace,
        place.listeners.map((listener) => listener.address).join(' ') || '-',
        place.programs.map((program) => program.address).join(' ') || '-',
      ]),
    ),
  )
  for (const { name, cause } of server.places) {
    if (cause !== undefined) print(`${bad(`${name} failed`)}: ${cause}`)
  }
}

const describeWorker = ({ pid, state, replaced }: WorkerSummary): string =>
  [
    pid === undefined ? 'none' : `process ${pid}`,
    ...(state === 'serving' ? [] : [bad(state)]),
    ...(replaced > 0 ? [`(replaced ${replaced} times)`] : []),
  ].join(' ')

const describeImport = ({ from, to, state, blobs, bytes }: ServerStatus['imports'][number]) => {
  const mebibytes = (count: number) => (count / 2 ** 20).toFixed(1)
  const progress =
    state === 'waiting'
      ? 'waiting for its turn'
      : `${blobs.done} of ${blobs.of} blobs, ${mebibytes(bytes.done)} of ${mebibytes(bytes.of)} MiB`
  return `${from} as ${to.join(' ')}: ${progress}`
}

const describeRegistries = ({ host, port, registryDomain }: ServerStatus): string =>
  [`https://<registry>.localhost:${port}`]
    .concat(host.registries.slice(1).map((socket) => `<registry>.${registryDomain} on ${socket}`))
    .join(', ')

/** What the host itself serves beyond that, and what is wrong with it. */
function describeHost({ host }: ServerStatus): void {
  if (host.namesUnavailable) {
    const { cause, cure } = host.namesUnavailable
    print(`${bad('no names on loopback')}: ${cause} ${cure}`)
  }
  for (const { chainFile, names, expiresAt, problem } of host.certificates) {
    print(
      `${strong('certificate'.padEnd(16))}${names.join(' ')} until ${expiresAt.slice(0, 10)}, ${chainFile}`,
    )
    if (problem !== undefined) print(`${bad('certificate')}: ${problem}`)
  }
}

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { ListenerOrigin } from '../lib/origin.ts'
import type { RegistryDirectory, RegistryFacts } from '../registry/registry-directory.ts'
import { openAuthorities } from './authorities.ts'
import type { Planes } from './cloud-names.ts'
import { createFront } from './create-front.ts'
import { createHealth } from './health.ts'
import { hostCertificate } from './host-certificates.ts'
import { createHostFront } from './host-front.ts'
import type { OwnCertificates } from './own-certificates.ts'
import { signedBy } from './signed-by.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface Cleanup {
  after(hook: () => Promise<void>): void
}

/** A registry named `name` in West Europe, under azurecr.io. */
export const registryFacts = (
  name: string,
  change: Partial<RegistryFacts> = {},
): RegistryFacts => ({
  id: `/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/${name}`,
  uid: name,
  name,
  loginServer: `${name}.azurecr.io`,
  homeRegion: 'westeurope',
  dataEndpoints: [{ region: 'westeurope', host: `${name}.westeurope.data.azurecr.io` }],
  redirectsBlobs: true,
  publicAccess: { kind: 'all' },
  isPrivateLinked: false,
  anonymousPull: false,
  immutableTagsIn: [],
  tokens: new Map(),
  ...change,
})

export async function temporaryFolder(t: Cleanup): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-front-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

/** Planes that answer with `answer`, or with their name and the request's host; a directory with the registry `shop`. */
export function planesFor(answer?: Handler, domain = 'azurecr.io') {
  const registry = registryFacts('shop', {
    loginServer: `shop.${domain}`,
    dataEndpoints: [{ region: 'westeurope', host: `shop.westeurope.data.${domain}` }],
  })
  const plane =
    (name: string): Handler =>
    (request, response) =>
      response.end(`${name} ${request.headers.host}`)
  const directory: Pick<RegistryDirectory, 'byHost'> = {
    byHost: (host) => (host === registry.loginServer ? { registry, role: 'login' } : undefined),
  }
  const planes: Planes = {
    control: answer ?? plane('control'),
    authority: plane('authority'),
    registry: answer ?? plane('registry'),
    graph: plane('graph'),
  }
  return { directory, planes, log: pino({ level: 'silent' }) }
}

/** A front over the registry `shop`, with such planes. */
export async function frontFor(t: Cleanup, answer?: Handler) {
  const authorities = await openAuthorities(await temporaryFolder(t), {
    registryDomain: 'azurecr.io',
  })
  const front = createFront({
    certificateFor: (name) => signedBy(authorities.place, name),
    ...planesFor(answer),
  })
  const ca = await readFile(authorities.place.certificateFile, 'utf8')

  /** Listens on loopback as a place would; `get` asks there. */
  async function listen(where: ListenerOrigin) {
    const server = net.createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as net.AddressInfo
    const listener = front.accept(server, where)
    t.after(() => listener.close())
    return {
      port,
      close: listener.close,
      get: (servername: string, options: https.RequestOptions = {}) =>
        get({ host: '127.0.0.1', port, servername, ca, ...options }),
    }
  }
  return { authorities, front, ca, listen }
}

/** The host's front over the same, on a free port of loopback. `hostNames` are those of the control plane beyond it. */
export async function hostFrontFor(
  t: Cleanup,
  options: {
    readonly registryDomain: string
    readonly hostNames?: readonly string[]
    readonly answer?: Handler
    readonly certificates?: Pick<OwnCertificates, 'certificateFor'>
  },
) {
  const { registryDomain, hostNames = [], answer } = options
  const { certificates = { certificateFor: () => undefined } } = options
  const authorities = await openAuthorities(await temporaryFolder(t), { registryDomain, hostNames })
  const front = createHostFront({
    certificateFor: (name) => hostCertificate(name, { authorities, own: certificates }),
    registryDomain,
    hostNames,
    health: createHealth({
      whyNotReady: () => [],
      metrics: { contentType: 'text/plain', text: async () => 'up 1\n' },
    }),
    ...planesFor(answer, registryDomain),
  })
  const { port, close } = await front.listenOnLoopback(
    0,
    (await authorities.host.leafFor('localhost')).pem,
  )
  t.after(close)
  const ca = {
    host: await readFile(authorities.host.certificateFile, 'utf8'),
    place: await readFile(authorities.place.certificateFile, 'utf8'),
  }
  /** Asks for a path of a host, by its name and the port, at this front. */
  const ask = (hostname: string, options: https.RequestOptions = {}) =>
    get({
      host: '127.0.0.1',
      port,
      servername: hostname,
      ca: ca.host,
      ...options,
      headers: { host: `${hostname}:${port}`, ...options.headers },
    })
  return { front, port, ca, ask }
}

export interface Answer {
  readonly status: number
  readonly body: string
}

/** One https request on a connection of its own. */
export function get(
  options: https.RequestOptions & { servername?: string | undefined },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { host: options.servername, ...options.headers }
    const request = https.request({ agent: false, ...options, headers }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end()
  })
}

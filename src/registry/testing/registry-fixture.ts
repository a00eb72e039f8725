import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Principal } from '../../identity/principal.ts'
import type { SignIn } from '../../identity/principals.ts'
import { digestOf } from '../../lib/digest.ts'
import { EgressError } from '../../lib/egress-error.ts'
import { NO_METRICS, type RequestOutcome } from '../../lib/metrics.ts'
import { type Origin, setOrigin } from '../../lib/origin.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import { type Database, openDatabase } from '../../storage/database.ts'
import { createFileBlobStore } from '../../storage/file-blob-store.ts'
import { openRemovalLock } from '../../storage/removal-lock.ts'
import { createReplicaStores } from '../../storage/replica-stores.ts'
import type { CredentialsOf } from '../cache/create-upstream.ts'
import type { Occasion } from '../events/occasion.ts'
import type { AuditEvent, ContentChange } from '../events/registry-events.ts'
import { type Collector, createCollector } from '../lifecycle/create-collector.ts'
import { createScrubber, type Scrubber } from '../lifecycle/create-scrubber.ts'
import { OCI_MANIFEST } from '../manifests/manifest.ts'
import type { Outside } from '../outside.ts'
import type { RegistryFacts } from '../registry-directory.ts'
import { createRegistryPlane, type RegistryPlane } from '../registry-plane.ts'

export const ADMIN = { user: 'myregistry', password: 'open sesame' }
export const DATA_HOST = 'myregistry.westeurope.data.azurecr.io'
export const RECHECK_SECONDS = 300
const DAY_MS = 24 * 60 * 60 * 1000
export const TENANT = '11111111-2222-3333-4444-555555555555'

const principal = (name: string): Principal => ({
  objectId: `object-${name}`,
  appId: `app-${name}`,
  displayName: name,
  kind: 'ServicePrincipal',
})

// The credential of each has the name of its owner.
const signIn = (name: string): SignIn => ({ principal: principal(name), credential: name })

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Every header of that name, where there may be several. */
  every(name: string): readonly string[]
  readonly body: Buffer
  json(): Record<string, unknown>
  /** The OCI error code, where the body is an error. */
  readonly code: string | undefined
}

export interface Ask {
  readonly host?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
  /** Sent as the admin unless it says otherwise; an empty text is nobody. */
  readonly authorization?: string
}

export interface Fixture {
  readonly plane: RegistryPlane
  /** With a grace of a day; nothing runs it but the test. */
  readonly collector: Collector
  readonly scrubber: Scrubber
  readonly database: Database
  readonly blobs: BlobStore
  /** `127.0.0.1:port`, where the registry of the fixture has its login server. */
  readonly address: string
  readonly folder: string
  /** What the directory says of the one registry. */
  facts: RegistryFacts
  origin: Origin
  now: Date
  /** Whose credentials have ended, and who has lost every role. */
  readonly ended: Set<string>
  readonly powerless: Set<string>
  readonly logged: unknown[]
  /** The regions of networks by their place. */
  readonly regions: Map<string, string>
  /** What was told of requests that are over, and of what changed nothing. */
  readonly outcomes: RequestOutcome[]
  readonly noted: AuditEvent[]
  /** What was recorded with changes. */
  readonly recorded: (ContentChange & { readonly occasion: Occasion })[]
  send(method: string, path: string, ask?: Ask): Promise<Answer>
  /** Waits until the plane, too, is done with every request whose answer has come. */
  quiet(): Promise<void>
  /** Stops the server and starts another on the same data. */
  restart(): Promise<Fixture>
}

interface Lifetime {
  after(hook: () => Promise<void>): unknown
}

/** What the plane is given instead of the store of files. */
type WrapBlobs = (blobs: BlobStore) => BlobStore

const NOWHERE: Outside = {
  async fetch({ url }) {
    throw new EgressError('unreachable', new URL(url).host)
  },
}

/** A registry over loopback HTTP with its own data folder; `reader` may pull, `writer` push too, `owner` everything. */
export async function startRegistry(
  t: Lifetime,
  outside: Outside = NOWHERE,
  credentialsOf: CredentialsOf = async () => undefined,
  wrap: WrapBlobs = (blobs) => blobs,
): Promise<Fixture> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-registry-'))
  const running: { close(): Promise<void> }[] = []
  t.after(async () => {
    for (const each of running) await each.close()
    await rm(folder, { recursive: true, force: true })
  })
  const secrets = { tokenKey: randomBytes(32), urlKey: randomBytes(32) }
  return startIn(folder, running, secrets, outside, credentialsOf, wrap)
}

async function startIn(
  folder: string,
  running: { close(): Promise<void> }[],
  secrets: { tokenKey: Buffer; urlKey: Buffer },
  outside: Outside,
  credentialsOf: CredentialsOf,
  wrap: WrapBlobs,
): Promise<Fixture> {
  const database = await openDatabase(join(folder, 'causeway.db'))
  const logged: unknown[] = []
  const outcomes: RequestOutcome[] = []
  const noted: AuditEvent[] = []
  const recorded: (ContentChange & { occasion: Occasion })[] = []
  const log = {
    info: (...event: unknown[]) => logged.push(event),
    error: (...event: unknown[]) => logged.push(event),
  }
  const blobs = wrap(await createFileBlobStore(join(folder, 'content')))
  const replicas = createReplicaStores(join(folder, 'replicas'))
  const lock = openRemovalLock({ run: folder })
  const ports = {
    database: database.kysely,
    blobs,
    directory: { list: () => [state.facts] },
    clock: { now: () => state.now },
    signal: new AbortController().signal,
  }
  const report = (region: string, error: unknown) => void logged.push({ region, error })
  const plane = createRegistryPlane({
    database,
    blobs,
    replicas: { ...replicas, regionOf: (place) => state.regions.get(place) },
    directory: {
      byHost(host) {
        const data = state.facts.dataEndpoints.find((each) => each.host === host)
        if (data) return { registry: state.facts, role: 'data', region: data.region }
        return host === state.facts.loginServer
          ? { registry: state.facts, role: 'login' }
          : undefined
      },
      byId: () => state.facts,
      list: () => [state.facts],
      version: 1,
    },
    identity: {
      verifyAccessToken: async (token) =>
        token.startsWith('aad-') ? signIn(token.slice(4)) : undefined,
      authenticate: async (appId, secret) =>
        appId.startsWith('app-') && secret === 'secret' ? signIn(appId.slice(4)) : undefined,
      byCredential: async (credential) =>
        state.ended.has(credential) ? undefined : principal(credential),
      isAllowed: ({ displayName }, action) =>
        !state.powerless.has(displayName) &&
        (displayName === 'owner' ||
          (action.endsWith('/pull/read') && ['reader', 'writer'].includes(displayName)) ||
          (action.endsWith('/push/write') && displayName === 'writer')),
    },
    outside,
    clock: { now: () => state.now },
    log,
    secrets,
    tenantId: TENANT,
    cache: { recheckSeconds: RECHECK_SECONDS, credentialsOf },
    pauses: [5, 5, 5],
    metrics: { ...NO_METRICS, request: (outcome) => void outcomes.push(outcome) },
    events: { note: (event) => void noted.push(event) },
    recorder: {
      async record(_transaction, changes, occasion) {
        recorded.push(...changes.map((change) => ({ ...change, occasion })))
      },
    },
  })
  const open = new Set<Promise<unknown>>()
  const server = createServer((request, response) => {
    const over = once(response, 'close').finally(() => open.delete(over))
    open.add(over)
    setOrigin(request, state.origin)
    plane.handle(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const address = `127.0.0.1:${port}`
  const lifetime = {
    closed: false,
    async close() {
      if (lifetime.closed) return
      lifetime.closed = true
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      lock.close()
      await plane.close()
      await database.close()
    },
  }
  running.push(lifetime)

  const state: Fixture = {
    plane,
    collector: createCollector({
      ...ports,
      replicas,
      lock,
      graceMs: DAY_MS,
      report,
    }),
    scrubber: createScrubber({ ...ports, replicas, mender: plane.mender, report }),
    database,
    blobs,
    address,
    folder,
    logged,
    outcomes,
    noted,
    recorded,
    origin: { via: 'public', place: 'internet', address: '203.0.113.7' },
    now: new Date(),
    ended: new Set(),
    powerless: new Set(),
    regions: new Map(),
    facts: {
      id: '/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/myregistry',
      uid: 'uid-1',
      name: 'myregistry',
      loginServer: address,
      homeRegion: 'westeurope',
      dataEndpoints: [{ region: 'westeurope', host: DATA_HOST }],
      redirectsBlobs: false,
      publicAccess: { kind: 'all' },
      isPrivateLinked: false,
      anonymousPull: false,
      immutableTagsIn: [],
      admin: {
        username: ADMIN.user,
        passwordHashes: [createHash('sha256').update(ADMIN.password).digest(), Buffer.alloc(32)],
      },
      tokens: new Map(),
    },
    send: (method, path, ask = {}) => send(port, method, path, { host: address, ...ask }),
    async quiet() {
      await Promise.all(open)
    },
    async restart() {
      await lifetime.close()
      return startIn(folder, running, secrets, outside, credentialsOf, wrap)
    },
  }
  return state
}

export const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

function send(port: number, method: string, path: string, ask: Ask): Promise<Answer> {
  const authorization = ask.authorization ?? basic(ADMIN.user, ADMIN.password)
  const headers = {
    host: ask.host ?? '',
    ...(authorization && { authorization }),
    ...(ask.body !== undefined &&
      !ask.headers?.['transfer-encoding'] && { 'content-length': Buffer.byteLength(ask.body) }),
    ...ask.headers,
  }
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', method, path, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const body = Buffer.concat(chunks)
        const { headers: answered, statusCode: status = 0 } = response
        const json = () => JSON.parse(body.toString()) as Record<string, unknown>
        const every = (name: string) => response.headersDistinct[name] ?? []
        resolve({ status, headers: answered, every, body, json, code: codeOf(body) })
      })
    })
    request.on('error', reject)
    request.end(ask.body)
  })
}

function codeOf(body: Buffer): string | undefined {
  return /^\{"errors":\[\{"code":"([A-Z_]+)"/.exec(body.toString())?.[1]
}

/** Pushes bytes in one request and returns their digest. */
export async function pushBlob(registry: Fixture, repository: string, bytes: Buffer) {
  const digest = digestOf(bytes)
  const path = `/v2/${repository}/blobs/uploads/?digest=${digest}`
  await registry.send('POST', path, { body: bytes })
  return digest
}

/** Pushes a small image whose one layer is `text` and returns the manifest's digest and what it is made of. */
export async function pushImage(registry: Fixture, repository: string, tag: string, text = tag) {
  const layer = Buffer.from(`layer ${text}`)
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', text }))
  const descriptor = (bytes: Buffer, mediaType: string) => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  })
  await pushBlob(registry, repository, layer)
  await pushBlob(registry, repository, config)
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptor(config, 'application/vnd.oci.image.config.v1+json'),
    layers: [descriptor(layer, 'application/vnd.oci.image.layer.v1.tar')],
  })
  const answer = await registry.send('PUT', `/v2/${repository}/manifests/${tag}`, {
    body,
    headers: { 'content-type': OCI_MANIFEST },
  })
  return { answer, body, digest: digestOf(Buffer.from(body)), layer: digestOf(layer) }
}

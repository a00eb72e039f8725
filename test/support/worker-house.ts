import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { samplesOf } from '../../src/metrics/samples-for-tests.ts'
import type { WorkerSummary } from '../../src/operator/contract.ts'
import { type ArmClient, createArmClient } from './arm-client.ts'
import { type Causeway, startCauseway } from './causeway.ts'
import { fetchOverTls } from './https-client.ts'
import { type KeptAnswer, type KeptConnection, keepConnection } from './kept-connection.ts'
import {
  adminOf,
  importSample,
  makeGroup,
  makeRegistry,
  type Registry,
} from './private-registry.ts'

export const WORKERS = 2
/** Of the sample image, which the registry has. */
export const MANIFEST = '/v2/hello-world/manifests/v1'
export const CHUNK = 1 << 20

/** A server with workers and one registry, reached on the host by its administrator. */
export interface WorkerHouse {
  readonly causeway: Causeway
  readonly arm: ArmClient
  readonly group: string
  readonly registry: Registry
  /** PEM. */
  readonly ca: string
  /** Of this registry, or another. */
  url(name?: string): string
  /** A connection of its own for each call, in turn to each of the workers. */
  connect(headers?: Readonly<Record<string, string>>): KeptConnection
  /** Makes one connection to each worker, in place of those before. */
  connectToEach(headers?: Readonly<Record<string, string>>): void
  connections(): readonly KeptConnection[]
  toEach<T>(work: (connection: KeptConnection) => Promise<T>): Promise<T[]>
  /** One request on a connection that nothing else uses. */
  once(...args: Parameters<KeptConnection['send']>): Promise<KeptAnswer>
  /** Begins an upload; returns its location. */
  begin(repository: string): Promise<string>
  metrics(): Promise<ReadonlyMap<string, number>>
  workers(): Promise<readonly WorkerSummary[]>
  /** Waits until another worker serves in the place of this one. */
  untilReplaced(pid: number): Promise<void>
  /** Starts the server again, which has ended. */
  startAgain(): Promise<void>
  remove(): Promise<void>
}

export async function openWorkerHouse(): Promise<WorkerHouse> {
  const causeway = await startCauseway({ workers: WORKERS })
  try {
    return await furnish(causeway)
  } catch (error) {
    await causeway.remove()
    throw error
  }
}

async function furnish(causeway: Causeway): Promise<WorkerHouse> {
  const arm = await createArmClient(causeway)
  const group = await makeGroup(arm, 'workers')
  const registry = await makeRegistry(arm, group, 'workhouse')
  await importSample(arm, registry)
  const { username, password } = await adminOf(arm, registry)
  const admin = basic(username, password)
  let { port, authorities } = await causeway.status()
  const ca = await readFile(authorities.host, 'utf8')
  let connections: readonly KeptConnection[] = []

  const url = (name = registry.name) => `https://${name}.localhost:${port}`
  const connect = (headers: Readonly<Record<string, string>> = admin) =>
    keepConnection(url(), ca, headers)
  const closeAll = () => {
    for (const each of connections) each.close()
    connections = []
  }
  const once: WorkerHouse['once'] = async (...args) => {
    const connection = connect()
    try {
      return await connection.send(...args)
    } finally {
      connection.close()
    }
  }
  const workers = async () => (await causeway.status()).workers

  return {
    ...{ causeway, arm, group, registry, ca, url, connect, once, workers },
    connections: () => connections,
    connectToEach(headers) {
      closeAll()
      connections = Array.from({ length: WORKERS }, () => connect(headers))
    },
    toEach: (work) => Promise.all(connections.map(work)),

    async begin(repository) {
      const { status, headers } = await once('POST', `/v2/${repository}/blobs/uploads/`)
      assert.equal(status, 202)
      return String(headers.location)
    },

    async metrics() {
      const { urls } = await causeway.status()
      return samplesOf((await fetchOverTls(`${urls.control}metrics`, { ca })).text)
    },

    async untilReplaced(pid) {
      for (const deadline = Date.now() + 20_000; ; await delay(50)) {
        const now = await workers()
        if (now.every((each) => each.state === 'serving' && each.pid !== pid)) return
        assert.ok(Date.now() < deadline, 'the worker was not replaced')
      }
    },

    async startAgain() {
      await causeway.startAgain()
      ;({ port, authorities } = await causeway.status())
    },

    async remove() {
      closeAll()
      await causeway.remove()
    },
  }
}

export const digestOf = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`

export const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

/** The id of an upload by its location. */
export const idOf = (location: string): string =>
  /uploads\/([0-9a-f-]{36})/.exec(location)?.[1] ?? ''

/** What is told from process to process is told a moment later. */
export async function untilTold<T>(
  read: () => Promise<T>,
  isTold: (value: T) => boolean,
): Promise<T> {
  for (const deadline = Date.now() + 10_000; ; await delay(50)) {
    const value = await read()
    if (isTold(value) || Date.now() > deadline) return value
  }
}

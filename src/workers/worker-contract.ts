import type { ServedAt } from '../front/served-at.ts'
import type { Samples } from '../lib/metrics.ts'
import type { Upstream } from '../registry/cache/upstream.ts'
import type { ContentWriter } from '../registry/content/content-writer.ts'
import type { EventBatch } from '../registry/events/forward-events.ts'
import type { RegistryIdentity } from '../registry/identity.ts'
import type { Mender } from '../registry/mending/create-mender.ts'
import type { RegistryPlane } from '../registry/registry-plane.ts'
import type { TableChange } from './mirror.ts'

/** What the server and its workers say to each other. Content is written by the server alone, through `ContentWriter`. */

/** Where a worker is among all of them: slots are numbered from 0, and a worker that dies is replaced in its own. */
export interface WorkerPlace {
  readonly slot: number
  readonly slots: number
}

/** All that a worker needs to begin. */
export interface WorkerStart extends WorkerPlace {
  /** The database's file, which a worker only reads. */
  readonly database: string
  /** The folder of blobs and uploads. */
  readonly blobs: string
  /** The folder with a folder for each region that has replicas. */
  readonly replicas: string
  /** The folder of locks and sockets. */
  readonly run: string
  readonly logFile: string
  readonly logLevel: string
  readonly tenantId: string
  /** After which a tag that came by a cache rule is looked after again. */
  readonly recheckSeconds: number
  readonly registryDomain: string
  /** The operator's names of the control plane. */
  readonly hostNames: readonly string[]
  readonly secrets: { readonly tokenKey: Buffer; readonly urlKey: Buffer }
  /** Every table, whole. */
  readonly tables: readonly TableChange[]
}

/** What the server asks of a worker. When an answer has come, it is in effect there. */
export interface WorkerFunctions {
  start(start: WorkerStart): Promise<void>
  follow(changes: readonly TableChange[]): Promise<void>
  /** Destroys the connections that came by a listener. None of it comes after this. */
  closeListener(listener: number): Promise<void>
  discardUploads(registry: string): Promise<void>
  /** Sends what it has to tell of requests that are over. */
  flushEvents(): Promise<void>
  /** What a gauge of this name tells; undefined where there is none. */
  readGauge(name: string): Promise<Samples | undefined>
  reopenLog(): Promise<void>
}

/** What a worker asks the server about people: what only the server knows, or what is asked seldom. */
export interface PeopleFunctions
  extends Pick<RegistryIdentity, 'verifyAccessToken' | 'authenticate'> {
  /** Whether what a credential was minted for runs. */
  isAwake(owner: string): Promise<boolean>
}

/** What a worker asks the server's registry plane to do, by the names under which it is offered. */
export interface OfferedRegistry {
  readonly content: ContentWriter
  readonly replicas: Pick<RegistryPlane, 'hasten'> & Pick<Mender, 'mend'>
  readonly upstream: Upstream
}

/** What a worker tells of requests: counts, and events for the audit trail. */
export interface EventFunctions {
  receive(batch: EventBatch): Promise<void>
}

/** A connection of which the server has read what the client says first; its socket comes with it. */
export interface HandedConnection {
  /** The server's number for the listener that accepted it. */
  readonly listener: number
  readonly at: ServedAt
  /** As the client wrote it, normalized. */
  readonly servername: string
  /** Certificate, those that signed it, and key, PEM. */
  readonly pem: string
  readonly ticketKeys: Buffer
  /** The bytes that were read. */
  readonly head: Buffer
}

/** Messages besides calls and their answers. */
export type WorkerMessage =
  /** From the server; `id` counts connections. */
  | ({ readonly kind: 'connection'; readonly id: number } & HandedConnection)
  /** From a worker: it has the connection, and the server may let go of it. */
  | { readonly kind: 'taken'; readonly id: number }
  /** From a worker, when its code is loaded. */
  | { readonly kind: 'loaded' }

/** The names of the tables that workers follow. */
export const TABLES = {
  /** `RegistryFacts` by the id of the registry. */
  registries: 'registries',
  /** `RoleGrant` by the id of the assignment. */
  grants: 'grants',
  /** Permissions of roles that people made, by guid. */
  roles: 'roles',
  /** The region of each network, by its place. */
  regions: 'regions',
} as const

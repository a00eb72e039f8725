import type { Digest } from '../lib/digest.ts'
import type { Database } from '../storage/database.ts'
import type { ReplicaStores } from '../storage/replica-stores.ts'
import { createCacheReader } from './cache/cache-reader.ts'
import { isWildcard, isWithin, upstreamOf } from './cache/cache-rule.ts'
import { createCacheWriter } from './cache/cache-writer.ts'
import { completeImage } from './cache/complete-image.ts'
import { type CredentialsOf, createUpstream } from './cache/create-upstream.ts'
import type { Upstream } from './cache/upstream.ts'
import { createContentReader } from './content/content-reader.ts'
import { type ContentWriter, createContentWriter } from './content/content-writer.ts'
import { createDeletedReader } from './content/deleted-reader.ts'
import { createChangeTeller } from './content/record-changes.ts'
import { copyImage } from './copy/copy-image.ts'
import type { CopyErrand, ImageCopy, SourceImage } from './copy/image-copy.ts'
import { createImportQueue, type RunningImport } from './copy/import-queue.ts'
import { PAUSES } from './copy/try-again.ts'
import { occasionOfErrand } from './events/occasion.ts'
import { type ChangeRecorder, NO_RECORDER } from './events/registry-events.ts'
import { createMender, type Mender } from './mending/create-mender.ts'
import type { Outside } from './outside.ts'
import type { RegistryFacts } from './registry-directory.ts'
import {
  createRegistryServer,
  type RegistryServer,
  type RegistryServerOptions,
} from './registry-server.ts'
import { createNearestRegion } from './replicas/nearest-region.ts'
import { createRegionStores } from './replicas/region-stores.ts'
import { createReplicaQueue, type ReplicaKey, type ReplicaState } from './replicas/replica-queue.ts'
import { createReplicator } from './replicas/replicator.ts'
import { SAMPLE_REGISTRY } from './samples/sample-registry.ts'
import { seedSamples } from './samples/seed-samples.ts'

/** Where the further regions of registries are. */
export interface ReplicaOptions extends ReplicaStores {
  /** The region of the network that a place is made for. */
  regionOf(place: string): string | undefined
}

export interface RegistryPlaneOptions
  extends Pick<
    RegistryServerOptions,
    | ('blobs' | 'directory' | 'identity' | 'clock' | 'log' | 'secrets' | 'tenantId')
    | ('metrics' | 'events')
  > {
  readonly database: Database
  readonly replicas: ReplicaOptions
  readonly outside: Outside
  readonly cache: {
    /** After which a tag that came from elsewhere is looked after again. */
    readonly recheckSeconds: number
    readonly credentialsOf: CredentialsOf
  }
  /** Between the tries for what fails elsewhere, in milliseconds. */
  readonly pauses?: readonly number[]
  /** Who records changes, in their transaction. */
  readonly recorder?: ChangeRecorder
}

export interface RegistryPlane extends RegistryServer {
  /** Changes what registries hold; for processes that serve requests and have no database to write to. */
  readonly writer: ContentWriter
  /** Fetches from elsewhere, for all processes. */
  readonly upstream: Upstream
  /** Has a replica get a blob before others. */
  hasten(replica: ReplicaKey, digest: Digest, size: number): Promise<void>
  /** Looks after blobs that are damaged somewhere, for all processes. */
  readonly mender: Mender
  /** @throws ImageCopyError */
  copyImage(copy: ImageCopy, errand: CopyErrand): Promise<void>
  /** Removes all that a registry held. Files of blobs go later, by the garbage collector. */
  forgetRegistry(uid: string): Promise<void>
  /** Forgets every registry but these; cheap where none went since the last call. */
  retain(uids: readonly string[]): Promise<void>
  /** The bytes of all blobs of a registry, each counted once. */
  storedBytes(uid: string): Promise<number>
  /** How far a region is behind; undefined for a home, and for what is no replica. */
  replicaState(replica: ReplicaKey): Promise<ReplicaState | undefined>
  /** Makes replicas be those of the directory, and begins to fill new ones; cheap where nothing has changed. */
  keepReplicas(): Promise<void>
  /** Settles when all that waits for replicas has been tried once. */
  replicated(): Promise<void>
  /** Whether a registry has a repository of this name, or one within `prefix/*` or `*`. */
  hasRepository(uid: string, pattern: string): boolean
  /** Images that come from elsewhere now. */
  runningImports(): readonly RunningImport[]
  /** Puts the sample image into the built-in registry. */
  seed(): Promise<void>
  /** Ends what works by itself, and what is on its way from elsewhere by cache rules. */
  close(): Promise<void>
}

/** The registry plane with all that happens in it without a request. */
export function createRegistryPlane(options: RegistryPlaneOptions): RegistryPlane {
  const { database, blobs, directory, outside, clock, log } = options
  const { recorder = NO_RECORDER, pauses = PAUSES } = options
  const reader = createContentReader(database.reader)
  const queue = createReplicaQueue(database.kysely, clock)
  const stores = createRegionStores(blobs, options.replicas.store, (region, error) =>
    log.error({ err: error, region }, 'the blobs of a region cannot be read'),
  )
  const mender = createMender({
    ...{ database: database.kysely, home: blobs, replicas: options.replicas, clock, log },
    queued: () => replicator.wake(),
  })
  const { mend } = mender
  const replicator = createReplicator({ queue, stores, mend, clock, log })
  const writer = createContentWriter(database.kysely, clock, blobs, replicator.wake, recorder)
  const nearest = createNearestRegion(options.replicas.regionOf)
  const changes = createChangeTeller(recorder)
  const cacheReader = createCacheReader(database.reader)
  const deleted = createDeletedReader(database.reader)
  const upstream = createUpstream({
    ...{ outside, blobs, reader, writer, cacheReader, clock, log, pauses },
    cacheWriter: createCacheWriter(database.kysely, clock),
    credentialsOf: options.cache.credentialsOf,
  })
  const { recheckSeconds } = options.cache
  const imports = createImportQueue(log, clock)

  /** Who may hold something; before the first call of `retain` only the database knows. */
  let holders: ReadonlySet<string> | undefined

  /** What the queue was told last. */
  let keptReplicas: string | undefined

  const hasten: RegistryPlane['hasten'] = async (replica, digest, size) => {
    await queue.hasten(replica, digest, size)
    replicator.wake()
  }

  /** Nobody waits for it: the blob comes from the home in the meantime. */
  function lacks(replica: ReplicaKey, digest: Digest, size: number): void {
    hasten(replica, digest, size).catch((error: unknown) =>
      log.error({ err: error, ...replica, digest }, 'not queued'),
    )
  }

  async function forgetRegistry(uid: string): Promise<void> {
    await blobs.discardUploads(uid)
    await writer.deleteRegistry(uid)
  }

  /** Only of what comes by a cache rule may a part be missing. */
  async function complete(uid: string, image: SourceImage): Promise<void> {
    const { repository } = image
    const rules = directory.list().find((registry) => registry.uid === uid)?.cacheRules
    const found = upstreamOf(rules, repository)
    if (!found) return
    await completeImage({ upstream, reader }, { registry: uid, repository, upstream: found }, image)
  }

  const { manifest, blob, arrived } = upstream
  return {
    ...createRegistryServer({
      ...options,
      ...{ reader, writer, deleted, stores, nearest, lacks, mend, upstream, cacheReader },
      recheckSeconds,
    }),
    writer,
    hasten,
    mender,
    upstream: { manifest, blob, arrived },

    copyImage(copy, errand) {
      const target = directory.list().find(({ uid }) => uid === copy.to.registryUid)
      const occasion = target && occasionOfErrand(target, errand, clock)
      const ports = { reader, writer, blobs, clock, outside, pauses, complete, changes }
      return imports.run(copy, errand, async (progress) => {
        await copyImage({ database: database.kysely, ...ports }, copy, errand, progress, occasion)
        replicator.wake()
      })
    },

    forgetRegistry,

    async retain(uids) {
      const kept = new Set([...uids, SAMPLE_REGISTRY.uid])
      const before = holders ?? reader.registries()
      holders = kept
      for (const uid of before) if (!kept.has(uid)) await forgetRegistry(uid)
    },

    storedBytes: async (uid) => reader.storedBytes(uid),

    replicaState: (replica) => queue.state(replica),

    async keepReplicas() {
      const replicas = directory.list().flatMap(replicasOf)
      const names = JSON.stringify(replicas)
      if (names === keptReplicas) return
      await queue.keep(replicas)
      keptReplicas = names
      replicator.wake()
    },

    replicated: () => replicator.idle(),

    async close() {
      await upstream.close()
      await replicator.stop()
    },

    hasRepository(uid, pattern) {
      if (!isWildcard(pattern)) return reader.hasRepository(uid, pattern)
      const [first] = reader.repositories(uid, { n: 1, last: pattern.slice(0, -1) })
      return first !== undefined && isWithin(pattern, first)
    },

    seed: () => seedSamples({ reader, writer, blobs }),
    runningImports: imports.list,
  }
}

const replicasOf = ({ uid, homeRegion, dataEndpoints }: RegistryFacts): readonly ReplicaKey[] =>
  dataEndpoints
    .filter(({ region }) => region !== homeRegion)
    .map(({ region }) => ({ registry: uid, region }))

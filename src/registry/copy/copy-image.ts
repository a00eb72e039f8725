import type { Kysely } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../lib/digest.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import type { Tables } from '../../storage/tables.ts'
import type { ContentReader } from '../content/content-reader.ts'
import type { ContentWriter } from '../content/content-writer.ts'
import { isNamedBy } from '../content/first-push-wins.ts'
import { linkBlobs } from '../content/link-blobs.ts'
import { requirePushable } from '../content/locks.ts'
import type { ChangeTeller } from '../content/record-changes.ts'
import type { RegistryTransaction } from '../content/repository-key.ts'
import { isKept } from '../content/soft-deletes.ts'
import { storeManifest } from '../content/store-manifest.ts'
import type { Occasion } from '../events/occasion.ts'
import { OciError } from '../http/oci-error.ts'
import type { Outside } from '../outside.ts'
import { SAMPLE_REGISTRY, SAMPLE_REPOSITORIES } from '../samples/sample-registry.ts'
import { type CopyProgress, fetchImage } from './fetch-image.ts'
import {
  type CopyErrand,
  type CopyTarget,
  type ImageCopy,
  ImageCopyError,
  type SourceImage,
  sourceImageOf,
  targetsOf,
} from './image-copy.ts'
import { type ImagePart, partsHere } from './image-part.ts'

export interface CopyPorts {
  readonly database: Kysely<Tables>
  readonly reader: ContentReader
  readonly writer: ContentWriter
  readonly blobs: BlobStore
  readonly clock: Clock
  readonly outside: Outside
  /** Brings all of an image here of which a registry of ours, by its uid, has only a part. @throws ImageCopyError */
  readonly complete: (registry: string, image: SourceImage) => Promise<void>
  /** Between the tries for what fails at the source, in milliseconds. */
  readonly pauses: readonly number[]
  readonly changes: ChangeTeller
}

/**
 * Copies an image, or an index with all it names, into a registry of ours: from another of ours, or from elsewhere. What
 * can be seen of it appears in one transaction, under all names or none.
 *
 * @throws ImageCopyError, and what `errand.signal` was aborted with
 */
export async function copyImage(
  ports: CopyPorts,
  copy: ImageCopy,
  errand: CopyErrand,
  progress: CopyProgress,
  occasion: Occasion | undefined,
): Promise<void> {
  const { database, reader } = ports
  const image = sourceImageOf(copy)
  const targets = targetsOf(copy)
  const registry = copy.to.registryUid
  const { from } = copy
  if (!copy.force) refuseExisting(registry, targets, tagIn(reader))

  const isShipped =
    'host' in from &&
    from.host === SAMPLE_REGISTRY.loginServer &&
    SAMPLE_REPOSITORIES.includes(image.repository)
  if ('registryUid' in from) await ports.complete(from.registryUid, image)
  const parts =
    'host' in from && !isShipped
      ? await fetchImage(ports, { from, image, registry, targets, errand, progress })
      : partsHere(reader, 'host' in from ? SAMPLE_REGISTRY.uid : from.registryUid, image)

  await database.transaction().execute(async (transaction) => {
    // Again, for somebody may have pushed meanwhile.
    if (!copy.force) await refuseExistingIn(transaction, registry, targets)
    for (const target of targets) {
      await storeImage(ports, transaction, { to: copy.to, target, parts, occasion })
    }
  })
}

async function storeImage(
  { clock, changes, blobs: store }: Pick<CopyPorts, 'clock' | 'changes' | 'blobs'>,
  transaction: RegistryTransaction,
  copy: {
    readonly to: ImageCopy['to']
    readonly target: CopyTarget
    readonly parts: readonly ImagePart[]
    readonly occasion: Occasion | undefined
  },
): Promise<void> {
  const { to, target, parts, occasion } = copy
  const { repository, tags } = target
  const key = { registry: to.registryUid, repository }
  const keepsTags = isNamedBy(to.immutableTagsIn, repository)
  const root = parts.at(-1)
  for (const part of parts) {
    const { blobs, digest, content, manifest, platform } = part
    if (await isKept(transaction, key, digest)) throw deleted(repository, digest)
    const links = blobs.map((blob) => ({ key, ...blob }))
    const { missing } = await linkBlobs(transaction, clock, store, links)
    if (missing.size > 0) throw goneMeanwhile(missing)
    const names = part === root ? tags : []
    const push = { ...key, digest, content, manifest, platform, tags: names, keepsTags }
    await requirePushable(transaction, push).catch(refuseLocked)
    await storeManifest(transaction, clock, push)
    // What an index names comes along with it, unnamed.
    if (part === root) await changes.pushed(transaction, push, 'Import', occasion)
  }
}

/** The service lets an import with `force` past a lock; here a lock holds. */
function refuseLocked(thrown: unknown): never {
  if (!(thrown instanceof OciError)) throw thrown
  throw new ImageCopyError('target-locked', thrown.message, { cause: thrown })
}

type TagExists = (registry: string, repository: string, tag: string) => boolean

const tagIn =
  (reader: ContentReader): TagExists =>
  (registry, repository, tag) =>
    reader.tag(registry, repository, tag) !== undefined

function refuseExisting(registry: string, targets: readonly CopyTarget[], exists: TagExists): void {
  for (const { repository, tags } of targets) {
    const existing = tags.find((tag) => exists(registry, repository, tag))
    if (existing !== undefined) throw tagExists(repository, existing)
  }
}

async function refuseExistingIn(
  transaction: RegistryTransaction,
  registry: string,
  targets: readonly CopyTarget[],
): Promise<void> {
  for (const { repository, tags } of targets) {
    if (tags.length === 0) continue
    const existing = await transaction
      .selectFrom('registry_tags')
      .where('registry', '=', registry)
      .where('repository', '=', repository)
      .where('name', 'in', tags)
      .select('name')
      .executeTakeFirst()
    if (existing) throw tagExists(repository, existing.name)
  }
}

const deleted = (repository: string, digest: Digest): ImageCopyError =>
  new ImageCopyError(
    'target-exists',
    `Manifest ${repository}@${digest} is soft-deleted in target registry: restore it instead.`,
  )

const goneMeanwhile = (digests: ReadonlySet<Digest>): ImageCopyError =>
  new ImageCopyError(
    'source-unknown',
    `Image parts ${[...digests].join(', ')} were not found: they were deleted meanwhile.`,
  )

const tagExists = (repository: string, tag: string): ImageCopyError =>
  new ImageCopyError('target-exists', `Tag ${repository}:${tag} already exists in target registry.`)

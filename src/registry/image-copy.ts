import type { Kysely } from 'kysely'
import type { Clock } from '../lib/clock.ts'
import { type Digest, isDigest } from '../lib/digest.ts'
import type { Tables } from '../storage/tables.ts'
import type { ContentReader, StoredManifest } from './content-reader.ts'
import { linkBlobs, type RegistryTransaction, storeManifest } from './content-writer.ts'
import { parseManifest } from './manifest.ts'
import { isRepositoryName, isTag } from './oci-path.ts'
import { SAMPLE_REGISTRY } from './sample-registry.ts'

export interface ImageCopy {
  /** A registry's uid, or a host of the public internet. */
  readonly from: { readonly registryUid: string } | { readonly host: string }
  /** `repository:tag` or `repository@sha256:…`; without either, the tag is `latest`. */
  readonly sourceImage: string
  readonly to: { readonly registryUid: string }
  /** `repository:tag` each. */
  readonly targetTags: readonly string[]
  /** Repositories that get the manifest without a tag. */
  readonly untaggedTargetRepositories: readonly string[]
  /** Moves tags that exist already; without it they make the copy fail before it begins. */
  readonly force: boolean
}

/**
 * Why an image was not copied. The message is public; of a tag that exists it is, in the service's words,
 * `Tag hello-world:latest already exists in target registry.`
 */
export class ImageCopyError extends Error {
  override readonly name = 'ImageCopyError'
  readonly code: 'source-unknown' | 'target-exists' | 'source-not-allowed'

  constructor(code: ImageCopyError['code'], message: string) {
    super(message)
    this.code = code
  }
}

interface Target {
  readonly repository: string
  readonly tags: readonly string[]
}

/**
 * Copies an image, or an index with all it names, from one registry of ours to another in one transaction. The blobs
 * are stored once for all, so that only rows are written.
 *
 * @throws ImageCopyError
 */
export async function copyImage(
  options: {
    readonly database: Kysely<Tables>
    readonly reader: ContentReader
    readonly clock: Clock
  },
  copy: ImageCopy,
): Promise<void> {
  const { database, reader, clock } = options
  const from = sourceOf(copy)
  const image = parseImage(copy.sourceImage)
  const root = image && find(reader, from, image)
  if (!image || !root) {
    throw new ImageCopyError('source-unknown', `Image '${copy.sourceImage}' was not found.`)
  }
  const targets = targetsOf(copy)
  const to = copy.to.registryUid
  await database.transaction().execute(async (transaction) => {
    for (const { repository, tags } of targets) {
      if (!copy.force) await refuseExisting(transaction, to, repository, tags)
      await copyManifest(root, repository, tags, transaction)
    }
  })

  /** Children first, as a push would. */
  async function copyManifest(
    stored: StoredManifest,
    repository: string,
    tags: readonly string[],
    transaction: RegistryTransaction,
  ): Promise<void> {
    const manifest = parseManifest(stored.content, stored.mediaType)
    const source = image?.repository ?? ''
    for (const { digest } of manifest.manifests) {
      const child = reader.manifestByDigest(from, source, digest)
      if (child) await copyManifest(child, repository, [], transaction)
    }
    const key = { registry: to, repository }
    const links = manifest.blobs.flatMap(({ digest }) => {
      const size = reader.blobSize(from, source, digest)
      return size === undefined ? [] : [{ key, digest, size }]
    })
    await linkBlobs(transaction, clock, links)
    const row = reader.manifest(from, source, stored.digest)
    const platform = {
      ...(row?.architecture && { architecture: row.architecture }),
      ...(row?.os && { os: row.os }),
    }
    const { digest, content } = stored
    await storeManifest(transaction, clock, { ...key, digest, content, manifest, tags, platform })
  }
}

function sourceOf({ from }: ImageCopy): string {
  if ('registryUid' in from) return from.registryUid
  if (from.host.toLowerCase() === SAMPLE_REGISTRY.loginServer) return SAMPLE_REGISTRY.uid
  throw new ImageCopyError(
    'source-not-allowed',
    `Images cannot be imported from '${from.host}' yet: only from ${SAMPLE_REGISTRY.loginServer} and from registries here.`,
  )
}

interface Image {
  readonly repository: string
  readonly tag?: string
  readonly digest?: Digest
}

function parseImage(text: string): Image | undefined {
  const [name = '', digest] = text.split('@')
  const colon = name.lastIndexOf(':')
  const repository = colon < 0 ? name : name.slice(0, colon)
  const tag = colon < 0 ? 'latest' : name.slice(colon + 1)
  if (!isRepositoryName(repository) || !isTag(tag)) return undefined
  if (digest === undefined) return { repository, tag }
  return isDigest(digest) ? { repository, digest } : undefined
}

const find = (reader: ContentReader, registry: string, { repository, tag, digest }: Image) =>
  digest === undefined
    ? reader.manifestByTag(registry, repository, tag ?? 'latest')
    : reader.manifestByDigest(registry, repository, digest)

function targetsOf({ targetTags, untaggedTargetRepositories }: ImageCopy): readonly Target[] {
  const tagged = targetTags.map((text) => {
    const image = parseImage(text)
    if (!image?.tag) {
      throw new ImageCopyError('source-not-allowed', `'${text}' is not the name of an image.`)
    }
    return { repository: image.repository, tags: [image.tag] }
  })
  const untagged = untaggedTargetRepositories.map((repository) => {
    if (!isRepositoryName(repository)) {
      throw new ImageCopyError('source-not-allowed', `'${repository}' is not a repository name.`)
    }
    return { repository, tags: [] }
  })
  return [...tagged, ...untagged]
}

async function refuseExisting(
  transaction: RegistryTransaction,
  registry: string,
  repository: string,
  tags: readonly string[],
): Promise<void> {
  if (tags.length === 0) return
  const existing = await transaction
    .selectFrom('registry_tags')
    .where('registry', '=', registry)
    .where('repository', '=', repository)
    .where('name', 'in', tags)
    .select('name')
    .executeTakeFirst()
  if (!existing) return
  throw new ImageCopyError(
    'target-exists',
    `Tag ${repository}:${existing.name} already exists in target registry.`,
  )
}

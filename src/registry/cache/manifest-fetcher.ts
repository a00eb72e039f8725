import { algorithmOf, type Digest, digestOf } from '../../lib/digest.ts'
import { ImageCopyError } from '../copy/image-copy.ts'
import type { RemoteRepository } from '../copy/remote-registry.ts'
import { OciError } from '../http/oci-error.ts'
import type { ManifestReference } from '../http/oci-path.ts'
import { type Manifest, parseManifest } from '../manifests/manifest.ts'
import { CONFIG_BYTES_MAX, readPlatform } from '../manifests/platform.ts'
import type { BlobFetcher } from './blob-fetcher.ts'
import type { OpenUpstream, UpstreamPorts } from './create-upstream.ts'
import { createRests } from './rests.ts'
import type { CachedRepository, Fetched } from './upstream.ts'
import { failureOf } from './upstream-failure.ts'

/** For a tag that is here already and only looked after: what is here is served after that. */
const CHECK_SECONDS = 5
const FETCH_SECONDS = 30

export interface ManifestFetcher {
  /** @throws what is our own failure */
  fetch(from: CachedRepository, reference: ManifestReference): Promise<Fetched>
}

/** Fetches manifests from where cache rules lead. */
export function createManifestFetcher(
  ports: UpstreamPorts,
  { open, blobFetcher }: { readonly open: OpenUpstream; readonly blobFetcher: BlobFetcher },
): ManifestFetcher {
  const { reader, cacheReader, cacheWriter, blobs, clock, log } = ports
  const rests = createRests(clock)

  /** Where a tag leads that came from there and was not moved here since. */
  function cachedDigest(from: CachedRepository, reference: ManifestReference): Digest | undefined {
    if ('digest' in reference) return undefined
    const { registry, repository } = from
    const here = reader.tag(registry, repository, reference.tag)?.digest
    const there = cacheReader.upstreamTag(registry, repository, reference.tag)?.digest
    return here === there ? here : undefined
  }

  /** Whether the tag still leads there; one that is gone there stays as it is here. */
  async function isUnchanged(remote: RemoteRepository, tag: string, here: Digest) {
    try {
      return (await remote.digestOf(tag, CHECK_SECONDS)) === here
    } catch (error) {
      if (error instanceof ImageCopyError && error.code === 'source-unknown') return true
      throw error
    }
  }

  async function bring(from: CachedRepository, reference: ManifestReference): Promise<void> {
    const here = cachedDigest(from, reference)
    const remote = await open(from.upstream)
    const tag = 'tag' in reference ? reference.tag : undefined
    if (tag !== undefined && here !== undefined && (await isUnchanged(remote, tag, here))) {
      await cacheWriter.confirmTag(from, tag, here)
      return
    }
    const seconds = here === undefined ? FETCH_SECONDS : CHECK_SECONDS
    const { digest, content, manifest } = await fetchChecked(remote, reference, seconds)
    const { registry, repository, keepsTags = false } = from
    const tags = tag === undefined ? [] : [tag]
    const platform = {}
    await cacheWriter.keepManifest({
      ...{ registry, repository, digest, content, manifest, tags, platform, keepsTags },
    })
    describe(from, digest, manifest).catch((error) =>
      log.error({ err: error, digest }, 'an image was not described'),
    )
  }

  /** Fetches an image's config, which the client wants next anyway, and notes for which platform the image is. */
  async function describe(
    from: CachedRepository,
    digest: Digest,
    manifest: Manifest,
  ): Promise<void> {
    const { config } = manifest
    if (!config || config.size > CONFIG_BYTES_MAX) return
    const { kind } = await blobFetcher.bring(from, config.digest)
    if (kind !== 'here') return
    await cacheWriter.describeImage(from, digest, await readPlatform(blobs, manifest))
  }

  return {
    async fetch(from, reference) {
      const { host } = from.upstream
      const resting = rests.of(host)
      const isNeeded = cachedDigest(from, reference) === undefined
      if (resting && (!isNeeded || resting.reason === 'throttled')) return resting
      try {
        await bring(from, reference)
        rests.end(host)
        return { kind: 'here' }
      } catch (error) {
        const failure = failureOf(error)
        if (failure.kind === 'failed') rests.begin(host, failure)
        return failure
      }
    },
  }
}

/** @throws ImageCopyError */
async function fetchChecked(
  remote: RemoteRepository,
  reference: ManifestReference,
  seconds: number,
) {
  const name = 'tag' in reference ? reference.tag : reference.digest
  const { content, mediaType, stated } = await remote.manifest(name, seconds)
  const expected = 'digest' in reference ? reference.digest : stated
  const digest = digestOf(content, expected && algorithmOf(expected))
  if (expected !== undefined && digest !== expected) {
    throw invalid(`the manifest ${expected} has other bytes`)
  }
  try {
    return { digest, content, manifest: parseManifest(content, mediaType) }
  } catch (error) {
    if (!(error instanceof OciError)) throw error
    throw invalid(typeof error.detail === 'string' ? error.detail : error.message, error)
  }
}

const invalid = (reason: string, cause?: unknown): ImageCopyError =>
  new ImageCopyError('source-invalid', `The image cannot be taken: ${reason}.`, { cause })

import { algorithmOf, digestOf } from '../../lib/digest.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import type { ContentReader, FoundManifest } from '../content/content-reader.ts'
import type { ContentWriter } from '../content/content-writer.ts'
import { disallowed } from '../content/disallowed.ts'
import { isNamedBy } from '../content/first-push-wins.ts'
import { occasionOf } from '../events/occasion.ts'
import { isNotModified } from '../http/conditional.ts'
import {
  type Exchange,
  type Query,
  readBody,
  sendBytes,
  sendEmpty,
  sendHead,
} from '../http/exchange.ts'
import { OciError } from '../http/oci-error.ts'
import { isTag, type ManifestReference, parseDigest } from '../http/oci-path.ts'
import { deletionIn } from '../registry-directory.ts'
import { MANIFEST_BYTES_MAX, OCI_ARTIFACT, parseManifest } from './manifest.ts'
import { readPlatform } from './platform.ts'

interface ManifestPath {
  readonly repository: string
  readonly reference: ManifestReference
}

export interface ManifestRoutes {
  read(exchange: Exchange, path: ManifestPath): Promise<void>
  push(exchange: Exchange, path: ManifestPath): Promise<void>
  /** By digest the manifest with its tags and what refers to it, by tag the tag alone. */
  remove(exchange: Exchange, path: ManifestPath): Promise<void>
}

export function createManifestRoutes(options: {
  readonly reader: ContentReader
  readonly writer: ContentWriter
  readonly blobs: BlobStore
}): ManifestRoutes {
  const { reader, writer, blobs } = options

  function find(registry: string, { repository, reference }: ManifestPath): FoundManifest {
    const manifest =
      'tag' in reference
        ? reader.manifestByTag(registry, repository, reference.tag)
        : reader.manifestByDigest(registry, repository, reference.digest)
    if (manifest) return manifest
    if (!reader.hasRepository(registry, repository)) {
      throw new OciError('NAME_UNKNOWN', { name: repository })
    }
    throw new OciError('MANIFEST_UNKNOWN', reference)
  }

  return {
    async read(exchange, path) {
      const { request, response, registry, record } = exchange
      const { digest, mediaType, content, readEnabled } = find(registry.uid, path)
      // Not even its digest is told by a tag that may not be read: what has the digest may be.
      if (!readEnabled) throw disallowed({ name: path.repository, attribute: 'readEnabled' })
      record.manifest = { digest, mediaType, size: content.length }
      const etag = `"${digest}"`
      const headers = { 'Docker-Content-Digest': digest, ETag: etag }
      if (isNotModified(request.headers['if-none-match'], etag)) {
        sendHead(exchange, 304, headers)
        response.end()
        return
      }
      sendBytes(exchange, 200, content, { 'Content-Type': mediaType, ...headers })
    },

    async push(exchange, { repository, reference }) {
      const { request, query, registry } = exchange
      const tags = tagsOf(reference, query)
      const tooLarge = () => new OciError('TOO_LARGE')
      const content = await readBody(request, MANIFEST_BYTES_MAX, tooLarge)
      const manifest = parseManifest(content, request.headers['content-type'])
      const asked = 'digest' in reference ? reference.digest : query.get('digest')
      const expected = asked === null ? undefined : parseDigest(asked)
      const digest = digestOf(content, expected && algorithmOf(expected))
      if (expected !== undefined && expected !== digest) {
        throw new OciError('DIGEST_INVALID', { expected, computed: digest })
      }
      const push = {
        registry: registry.uid,
        repository,
        digest,
        content,
        manifest,
        tags,
        platform: await readPlatform(blobs, manifest),
        keepsTags: isNamedBy(registry.immutableTagsIn, repository),
      }
      await writer.putManifest(push, occasionOf(exchange))
      sendEmpty(exchange, 201, {
        Location: `/v2/${repository}/manifests/${digest}`,
        'Docker-Content-Digest': digest,
        ...(manifest.subject && { 'OCI-Subject': manifest.subject }),
        // A header for each: clients look a tag up among them and take no list apart.
        ...(query.has('tag') && { 'OCI-Tag': tags }),
        ...(manifest.mediaType === OCI_ARTIFACT && { Warning: WARNING_OF_ARTIFACT }),
      })
    },

    async remove(exchange, path) {
      const { repository, reference } = path
      const key = { registry: exchange.registry.uid, repository }
      const deletion = deletionIn(exchange.registry)
      const occasion = occasionOf(exchange)
      const isDeleted =
        'tag' in reference
          ? await writer.deleteTag(key, reference.tag, deletion, occasion)
          : await writer.deleteManifest(key, reference.digest, deletion, occasion)
      if (!isDeleted) {
        find(exchange.registry.uid, path)
        throw new OciError('MANIFEST_UNKNOWN', reference)
      }
      sendEmpty(exchange, 202)
    },
  }
}

const TAGS_MAX = 10
/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#warnings */
const WARNING_OF_ARTIFACT = `299 - "${OCI_ARTIFACT} was withdrawn before OCI 1.1; use an image manifest with an artifactType"`

/**
 * The tag of the path, or those of the query beside a digest: the next version of the specification, and the only way to
 * tag what goes by another digest than SHA-256.
 *
 * @throws OciError TAG_INVALID
 */
function tagsOf(reference: ManifestReference, query: Query): readonly string[] {
  if ('tag' in reference) return [reference.tag]
  const tags = [...new Set(query.getAll('tag'))]
  const invalid = tags.find((tag) => !isTag(tag))
  if (invalid !== undefined) throw new OciError('TAG_INVALID', { tag: invalid })
  if (tags.length > TAGS_MAX) throw new OciError('TAG_INVALID', `more than ${TAGS_MAX} tags`)
  return tags
}

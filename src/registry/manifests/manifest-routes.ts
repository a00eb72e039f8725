import { algorithmOf, type Digest, digestOf } from '../../lib/digest.ts'
import type { BlobStore } from '../../storage/blob-store.ts'
import type { ContentReader, StoredManifest } from '../content/content-reader.ts'
import type { ContentWriter } from '../content/content-writer.ts'
import { type Exchange, readBody, sendEmpty, sendJson } from '../http/exchange.ts'
import { OciError } from '../http/oci-error.ts'
import { type ManifestReference, parseDigest } from '../http/oci-path.ts'
import { deletionIn } from '../registry-directory.ts'
import { MANIFEST_BYTES_MAX, OCI_INDEX, parseManifest } from './manifest.ts'
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
  referrers(
    exchange: Exchange,
    path: { readonly repository: string; readonly digest: Digest },
  ): Promise<void>
}

export function createManifestRoutes(options: {
  readonly reader: ContentReader
  readonly writer: ContentWriter
  readonly blobs: BlobStore
}): ManifestRoutes {
  const { reader, writer, blobs } = options

  function find(registry: string, { repository, reference }: ManifestPath): StoredManifest {
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
    async read({ request, response, registry }, path) {
      const { digest, mediaType, content } = find(registry.uid, path)
      const headers = { 'Docker-Content-Digest': digest, ETag: `"${digest}"` }
      if (request.headers['if-none-match']?.includes(digest)) {
        response.writeHead(304, headers)
        response.end()
        return
      }
      response.writeHead(200, {
        ...headers,
        'Content-Type': mediaType,
        'Content-Length': content.length,
      })
      response.end(request.method === 'HEAD' ? undefined : content)
    },

    async push(exchange, { repository, reference }) {
      const { request, query, registry } = exchange
      const tooLarge = () => new OciError('TOO_LARGE')
      const content = await readBody(request, MANIFEST_BYTES_MAX, tooLarge)
      const manifest = parseManifest(content, request.headers['content-type'])
      const asked = 'digest' in reference ? reference.digest : query.get('digest')
      const expected = asked === null ? undefined : parseDigest(asked)
      const digest = digestOf(content, expected && algorithmOf(expected))
      if (expected !== undefined && expected !== digest) {
        throw new OciError('DIGEST_INVALID', { expected, computed: digest })
      }
      await writer.putManifest({
        registry: registry.uid,
        repository,
        digest,
        content,
        manifest,
        tags: 'tag' in reference ? [reference.tag] : [],
        platform: await readPlatform(blobs, manifest),
      })
      sendEmpty(exchange, 201, {
        Location: `/v2/${repository}/manifests/${digest}`,
        'Docker-Content-Digest': digest,
        ...(manifest.subject && { 'OCI-Subject': manifest.subject }),
      })
    },

    async remove(exchange, path) {
      const { repository, reference } = path
      const key = { registry: exchange.registry.uid, repository }
      const deletion = deletionIn(exchange.registry)
      const isDeleted =
        'tag' in reference
          ? await writer.deleteTag(key, reference.tag, deletion)
          : await writer.deleteManifest(key, reference.digest, deletion)
      if (!isDeleted) {
        find(exchange.registry.uid, path)
        throw new OciError('MANIFEST_UNKNOWN', reference)
      }
      sendEmpty(exchange, 202)
    },

    async referrers(exchange, { repository, digest }) {
      const wanted = exchange.query.get('artifactType')
      const manifests = reader
        .referrers(exchange.registry.uid, repository, digest)
        .map((stored) => toDescriptor(stored))
        .filter(({ artifactType }) => !wanted || artifactType === wanted)
      sendJson(
        exchange,
        200,
        { schemaVersion: 2, mediaType: OCI_INDEX, manifests },
        { 'Content-Type': OCI_INDEX, ...(wanted && { 'OCI-Filters-Applied': 'artifactType' }) },
      )
    },
  }
}

function toDescriptor({ digest, mediaType, content }: StoredManifest) {
  const { artifactType, annotations } = parseManifest(content, mediaType)
  return {
    mediaType,
    digest,
    size: content.length,
    ...(artifactType && { artifactType }),
    ...(annotations && { annotations }),
  }
}

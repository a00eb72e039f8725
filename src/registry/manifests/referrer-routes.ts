import type { Digest } from '../../lib/digest.ts'
import type { ContentReader, StoredManifest } from '../content/content-reader.ts'
import { type Exchange, nextPage, parsePage, sendJson } from '../http/exchange.ts'
import { MANIFEST_BYTES_MAX, OCI_INDEX, parseManifest } from './manifest.ts'

/** Many clients read the first page alone, so that it had better hold all there are. */
const PAGE_LENGTH = 1000

export interface ReferrerRoutes {
  /** The manifests of a repository that have a manifest, be it here or not, as their subject. */
  list(
    exchange: Exchange,
    path: { readonly repository: string; readonly digest: Digest },
  ): Promise<void>
}

/**
 * Lists referrers as an image index, by pages of as many as one manifest may hold.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers
 */
export function createReferrerRoutes(reader: ContentReader): ReferrerRoutes {
  return {
    async list(exchange, { repository, digest: subject }) {
      const { query, registry } = exchange
      const artifactType = query.get('artifactType') || undefined
      const { n, last } = parsePage(query, PAGE_LENGTH)
      const filter = artifactType === undefined ? {} : { artifactType }
      const found = reader.referrers(registry.uid, repository, subject, {
        n: n + 1,
        last,
        ...filter,
      })
      const manifests: ReturnType<typeof describe>[] = []
      let bytes = 0
      for (const digest of found.slice(0, n)) {
        const stored = reader.manifestByDigest(registry.uid, repository, digest)
        // Deleted since it was found.
        if (!stored) continue
        const descriptor = describe(stored)
        bytes += Buffer.byteLength(JSON.stringify(descriptor))
        if (bytes > MANIFEST_BYTES_MAX && manifests.length > 0) break
        manifests.push(descriptor)
      }
      const end = manifests.at(-1)?.digest
      const isMore = end !== undefined && end !== found.at(-1)
      const path = `/v2/${repository}/referrers/${subject}`
      sendJson(
        exchange,
        200,
        { schemaVersion: 2, mediaType: OCI_INDEX, manifests },
        {
          'Content-Type': OCI_INDEX,
          ...(artifactType && { 'OCI-Filters-Applied': 'artifactType' }),
          ...(isMore && nextPage(path, { last: end, n, ...filter })),
        },
      )
    },
  }
}

function describe({ digest, mediaType, content }: StoredManifest) {
  const { artifactType, annotations } = parseManifest(content, mediaType)
  return {
    mediaType,
    digest,
    size: content.length,
    ...(artifactType && { artifactType }),
    ...(annotations && { annotations }),
  }
}

import { type Digest, isDigest } from '../../lib/digest.ts'
import { type Authorizer, toPull } from '../access/authorize.ts'
import type { ContentReader } from '../content/content-reader.ts'
import type { ContentWriter } from '../content/content-writer.ts'
import type { Exchange, Query } from '../http/exchange.ts'
import { isRepositoryName } from '../http/oci-path.ts'

/** Where no source is named, so many that have the blob are tried; a client that may read none of them may as well upload. */
const SOURCES_MAX = 20

/** Lets a blob of another repository be seen in this one, as the query asks; undefined where it does not ask, or in vain. */
export type BlobMount = (exchange: Exchange, repository: string) => Promise<Digest | undefined>

/** The repository that a blob is to be mounted from, where the query names one. */
export function mountSource(query: Query): string | undefined {
  const from = query.has('mount') ? query.get('from') : null
  return from !== null && isRepositoryName(from) ? from : undefined
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#mounting-a-blob-from-another-repository */
export function createBlobMount(options: {
  readonly reader: ContentReader
  readonly writer: ContentWriter
  readonly authorizer: Authorizer
}): BlobMount {
  const { reader, writer, authorizer } = options

  function sourcesOf({ query, registry }: Exchange, digest: Digest): readonly string[] {
    if (!query.has('from')) return reader.repositoriesWithBlob(registry.uid, digest, SOURCES_MAX)
    const source = mountSource(query)
    return source === undefined ? [] : [source]
  }

  return async (exchange, repository) => {
    const { query, registry } = exchange
    const digest = query.get('mount') ?? ''
    if (!isDigest(digest)) return undefined
    for (const source of sourcesOf(exchange, digest)) {
      const blob = reader.blob(registry.uid, source, digest)
      // A repository that one may not read is one that is not there.
      if (!blob?.readEnabled || !(await authorizer.may(exchange, toPull(source)))) continue
      const key = { registry: registry.uid, repository }
      // Nor is there a blob that was removed since.
      if (await writer.linkBlob(key, digest, blob.size)) return digest
    }
    return undefined
  }
}

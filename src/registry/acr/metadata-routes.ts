import type { ContentReader, ListOrder, ManifestRow, TagRow } from '../content/content-reader.ts'
import type { ContentWriter } from '../content/content-writer.ts'
import { type Exchange, nextPage, parsePage, sendEmpty, sendJson } from '../http/exchange.ts'
import { OciError } from '../http/oci-error.ts'
import { parseDigest } from '../http/oci-path.ts'
import { deletionIn } from '../registry-directory.ts'
import type { AcrPath } from './acr-path.ts'

export interface MetadataRoutes {
  /** GET of anything but the catalog. */
  read(exchange: Exchange, path: Exclude<AcrPath, { kind: 'catalog' }>): Promise<void>
  removeRepository(exchange: Exchange, repository: string): Promise<void>
  removeTag(exchange: Exchange, repository: string, tag: string): Promise<void>
}

/** Nothing can be locked yet, and everything says so. */
const CHANGEABLE_ATTRIBUTES = {
  deleteEnabled: true,
  writeEnabled: true,
  readEnabled: true,
  listEnabled: true,
}

const ORDERS: Readonly<Record<string, ListOrder>> = { timeasc: 'timeasc', timedesc: 'timedesc' }

/** ACR's own interface to what is in a registry, `/acr/v1`. */
export function createMetadataRoutes(options: {
  readonly reader: ContentReader
  readonly writer: ContentWriter
}): MetadataRoutes {
  const { reader, writer } = options

  function present(registry: string, repository: string, row: ManifestRow) {
    const { digest, createdAt, updatedAt } = row
    const tags = reader.tags(registry, repository, { n: -1, last: '', digest })
    return {
      digest,
      imageSize: row.imageSize,
      createdTime: createdAt,
      lastUpdateTime: updatedAt,
      ...(row.architecture !== null && { architecture: row.architecture }),
      ...(row.os !== null && { os: row.os }),
      mediaType: row.mediaType,
      ...(row.configMediaType !== null && { configMediaType: row.configMediaType }),
      ...(tags.length > 0 && { tags: tags.map((tag) => tag.name) }),
      changeableAttributes: CHANGEABLE_ATTRIBUTES,
    }
  }

  function repositoryOf({ registry }: Exchange, name: string) {
    const row = reader.repository(registry.uid, name)
    if (!row) throw new OciError('NAME_UNKNOWN', { name })
    return row
  }

  return {
    async read(exchange, path) {
      const { registry } = exchange
      const { repository } = path
      const row = repositoryOf(exchange, repository)
      const head = { registry: registry.loginServer, imageName: repository }

      if (path.kind === 'repository') {
        return sendJson(exchange, 200, {
          ...head,
          createdTime: row.createdAt,
          lastUpdateTime: row.updatedAt,
          manifestCount: row.manifestCount,
          tagCount: row.tagCount,
          changeableAttributes: CHANGEABLE_ATTRIBUTES,
        })
      }
      if (path.kind === 'tag') {
        const tag = reader.tag(registry.uid, repository, path.tag)
        if (!tag) throw new OciError('TAG_UNKNOWN', { tag: path.tag })
        return sendJson(exchange, 200, { ...head, tag: presentTag(tag) })
      }
      if (path.kind === 'manifest') {
        const manifest = reader.manifest(registry.uid, repository, path.digest)
        if (!manifest) throw new OciError('MANIFEST_UNKNOWN', { digest: path.digest })
        const shown = present(registry.uid, repository, manifest)
        return sendJson(exchange, 200, { ...head, manifest: shown })
      }
      const page = parseListPage(exchange.query)
      const wanted = { ...page, n: page.n + 1 }
      if (path.kind === 'tags') {
        const tags = reader.tags(registry.uid, repository, wanted)
        const body = { ...head, tags: tags.slice(0, page.n).map(presentTag) }
        const last = tags.length > page.n ? tags[page.n - 1]?.name : undefined
        return sendJson(exchange, 200, body, linkOf(exchange, repository, '_tags', page, last))
      }
      const manifests = reader.manifests(registry.uid, repository, wanted)
      const shown = manifests.slice(0, page.n)
      const body = {
        ...head,
        manifests: shown.map((each) => present(registry.uid, repository, each)),
      }
      const last = manifests.length > page.n ? shown.at(-1)?.digest : undefined
      sendJson(exchange, 200, body, linkOf(exchange, repository, '_manifests', page, last))
    },

    async removeRepository(exchange, repository) {
      const key = { registry: exchange.registry.uid, repository }
      const deleted = await writer.deleteRepository(key, deletionIn(exchange.registry))
      if (!deleted) throw new OciError('NAME_UNKNOWN', { name: repository })
      const { manifests, tags } = deleted
      sendJson(exchange, 202, { manifestsDeleted: manifests, tagsDeleted: tags })
    },

    async removeTag(exchange, repository, tag) {
      repositoryOf(exchange, repository)
      const key = { registry: exchange.registry.uid, repository }
      const isDeleted = await writer.deleteTag(key, tag, deletionIn(exchange.registry))
      if (!isDeleted) throw new OciError('TAG_UNKNOWN', { tag })
      sendEmpty(exchange, 202)
    },
  }
}

function presentTag({ name, digest, createdAt, updatedAt }: TagRow) {
  return {
    name,
    digest,
    createdTime: createdAt,
    lastUpdateTime: updatedAt,
    signed: false,
    changeableAttributes: CHANGEABLE_ATTRIBUTES,
  }
}

function parseListPage(query: URLSearchParams) {
  const digest = query.get('digest')
  return {
    ...parsePage(query),
    order: ORDERS[query.get('orderby') ?? ''] ?? ('name' as const),
    ...(digest && { digest: parseDigest(digest) }),
  }
}

const linkOf = (
  { query }: Exchange,
  repository: string,
  part: string,
  { n }: { readonly n: number },
  last: string | undefined,
): Record<string, string> =>
  last === undefined
    ? {}
    : nextPage(`/acr/v1/${encodeURIComponent(repository)}/${part}`, {
        last,
        n,
        orderby: query.get('orderby') ?? '',
        ...(query.has('digest') && { digest: query.get('digest') ?? '' }),
      })

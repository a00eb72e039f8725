import type { AttributeHolder } from '../content/attributes.ts'
import type { ContentReader, ListOrder } from '../content/content-reader.ts'
import type { ContentWriter } from '../content/content-writer.ts'
import { occasionOf } from '../events/occasion.ts'
import {
  type Exchange,
  nextPage,
  parsePage,
  type Query,
  sendEmpty,
  sendJson,
} from '../http/exchange.ts'
import { OciError } from '../http/oci-error.ts'
import { parseDigest } from '../http/oci-path.ts'
import { deletionIn } from '../registry-directory.ts'
import type { AcrPath } from './acr-path.ts'
import { readAttributeChange } from './attribute-change.ts'
import { presentManifest, presentRepository, presentTag } from './present.ts'
import { referencesOf } from './references.ts'

type ItemPath = Extract<AcrPath, { kind: AttributeHolder['kind'] }>
type ListPath = Extract<AcrPath, { kind: 'tags' | 'manifests' }>

export interface MetadataRoutes {
  /** GET of a repository, a tag or a manifest. */
  read(exchange: Exchange, path: ItemPath): Promise<void>
  /** GET of the tags or manifests of a repository, by pages. */
  list(exchange: Exchange, path: ListPath): Promise<void>
  /** PATCH: the attributes that the body names change; the answer is that of a GET. Locks do not keep it from being done. */
  change(exchange: Exchange, path: ItemPath): Promise<void>
  removeRepository(exchange: Exchange, repository: string): Promise<void>
  removeTag(exchange: Exchange, repository: string, tag: string): Promise<void>
}

const ORDERS: Readonly<Record<string, ListOrder>> = { timeasc: 'timeasc', timedesc: 'timedesc' }

/** ACR's own interface to what is in a registry, `/acr/v1`. */
export function createMetadataRoutes(options: {
  readonly reader: ContentReader
  readonly writer: ContentWriter
}): MetadataRoutes {
  const { reader, writer } = options

  function requireRepository({ registry }: Exchange, name: string): void {
    if (!reader.hasRepository(registry.uid, name)) throw new OciError('NAME_UNKNOWN', { name })
  }

  /** What is there; undefined for what is not. */
  function find({ registry: { uid } }: Exchange, path: ItemPath) {
    const { kind, repository } = path
    if (kind === 'repository') {
      const row = reader.repository(uid, repository)
      return row && presentRepository(row)
    }
    if (kind === 'tag') {
      const row = reader.tag(uid, repository, path.tag)
      return row && { tag: presentTag(row) }
    }
    const row = reader.manifest(uid, repository, path.digest)
    const stored = reader.manifestByDigest(uid, repository, path.digest)
    if (!row || !stored) return undefined
    const references = referencesOf(stored.content)
    const manifest = presentManifest(row, reader.tagsOf(uid, repository, path.digest))
    return { manifest: { ...manifest, ...(references && { references }) } }
  }

  function describe(exchange: Exchange, path: ItemPath) {
    const found = find(exchange, path)
    if (found) return { ...headOf(exchange, path.repository), ...found }
    requireRepository(exchange, path.repository)
    throw new OciError(path.kind === 'tag' ? 'TAG_UNKNOWN' : 'MANIFEST_UNKNOWN')
  }

  return {
    async read(exchange, path) {
      sendJson(exchange, 200, describe(exchange, path))
    },

    async list(exchange, path) {
      const { uid } = exchange.registry
      const { kind, repository } = path
      requireRepository(exchange, repository)
      const page = parseListPage(exchange.query)
      // One more than the page: there is another page where it is found.
      const wanted = { ...page, n: page.n + 1 }
      const rows =
        kind === 'tags'
          ? reader
              .tags(uid, repository, wanted)
              .map((row) => ({ key: row.name, item: presentTag(row) }))
          : reader.manifests(uid, repository, wanted).map((row) => ({
              key: row.digest,
              item: presentManifest(row, reader.tagsOf(uid, repository, row.digest)),
            }))
      const shown = rows.slice(0, page.n)
      const last = rows.length > page.n ? shown.at(-1)?.key : undefined
      sendJson(
        exchange,
        200,
        { ...headOf(exchange, repository), [kind]: shown.map(({ item }) => item) },
        last === undefined ? {} : linkAfter(last, exchange, path, page.n),
      )
    },

    async change(exchange, path) {
      const change = await readAttributeChange(exchange)
      const key = { registry: exchange.registry.uid, repository: path.repository }
      if (Object.keys(change).length > 0) await writer.changeAttributes(key, path, change)
      sendJson(exchange, 200, describe(exchange, path))
    },

    async removeRepository(exchange, repository) {
      const key = { registry: exchange.registry.uid, repository }
      const deletion = deletionIn(exchange.registry)
      const deleted = await writer.deleteRepository(key, deletion, occasionOf(exchange))
      if (!deleted) throw new OciError('NAME_UNKNOWN', { name: repository })
      const { manifests, tags } = deleted
      sendJson(exchange, 202, { manifestsDeleted: manifests, tagsDeleted: tags })
    },

    async removeTag(exchange, repository, tag) {
      requireRepository(exchange, repository)
      const key = { registry: exchange.registry.uid, repository }
      const deletion = deletionIn(exchange.registry)
      const isDeleted = await writer.deleteTag(key, tag, deletion, occasionOf(exchange))
      if (!isDeleted) throw new OciError('TAG_UNKNOWN')
      sendEmpty(exchange, 202)
    },
  }
}

const headOf = ({ registry }: Exchange, repository: string) => ({
  registry: registry.loginServer,
  imageName: repository,
})

function parseListPage(query: Query) {
  const digest = query.get('digest')
  return {
    ...parsePage(query),
    order: ORDERS[query.get('orderby') ?? ''] ?? ('name' as const),
    ...(digest && { digest: parseDigest(digest) }),
  }
}

/** As the service writes it, with an order also where none was asked for. */
const linkAfter = (
  last: string,
  { query }: Exchange,
  { kind, repository }: ListPath,
  n: number,
): Record<string, string> =>
  nextPage(`/acr/v1/${encodeURIComponent(repository)}/_${kind}`, {
    last,
    n,
    orderby: query.get('orderby') ?? '',
    ...(query.has('digest') && { digest: query.get('digest') ?? '' }),
  })

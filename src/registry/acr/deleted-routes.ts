import type { Digest } from '../../lib/digest.ts'
import type { ContentWriter } from '../content/content-writer.ts'
import type { DeletedManifestRow, DeletedReader } from '../content/deleted-reader.ts'
import { isNamedBy } from '../content/first-push-wins.ts'
import {
  type Exchange,
  nextPage,
  parsePage,
  type Query,
  readBody,
  sendJson,
} from '../http/exchange.ts'
import { OciError } from '../http/oci-error.ts'
import { isTag } from '../http/oci-path.ts'
import { deletionIn } from '../registry-directory.ts'
import { describeManifest } from './present.ts'

const BODY_BYTES_MAX = 4096

export interface DeletedRoutes {
  catalog(exchange: Exchange): Promise<void>
  tags(exchange: Exchange, repository: string): Promise<void>
  manifests(exchange: Exchange, repository: string): Promise<void>
  /** POST: the body names the tag, `?force=true` takes it from who has it. */
  restore(
    exchange: Exchange,
    path: { readonly repository: string; readonly digest: Digest },
  ): Promise<void>
}

/**
 * What was deleted softly, and how it comes back. Paths, parameters and the members that it reads are those of az; the rest
 * of an answer follows the lists of what is there. Oldest first: az takes the last tag of a name for the one to restore.
 */
export function createDeletedRoutes(options: {
  readonly deleted: DeletedReader
  readonly writer: Pick<ContentWriter, 'restoreManifest'>
}): DeletedRoutes {
  const { deleted, writer } = options

  const present = (registry: string, repository: string, row: DeletedManifestRow) => {
    const tags = deleted.tagsOf(registry, repository, row.digest)
    return { ...describeManifest(row, tags), deletedAt: row.deletedAt }
  }

  return {
    async catalog(exchange) {
      const { n, last } = parsePage(exchange.query)
      const found = deleted.repositories(exchange.registry.uid, { n: n + 1, last })
      const names = found.slice(0, n)
      sendPage(exchange, { repositories: names }, found.length > n ? names.at(-1) : undefined, n)
    },

    async tags(exchange, repository) {
      const { registry } = exchange
      const { n, last } = parseIdPage(exchange.query)
      const found = deleted.tags(registry.uid, repository, { n: n + 1, last })
      const shown = found.slice(0, n)
      const tags = shown.map(({ name, digest, deletedAt }) => ({ tag: name, digest, deletedAt }))
      const body = { registry: registry.loginServer, imageName: repository, tags }
      sendPage(exchange, body, found.length > n ? shown.at(-1)?.id : undefined, n)
    },

    async manifests(exchange, repository) {
      const { registry } = exchange
      const { n, last } = parseIdPage(exchange.query)
      const found = deleted.manifests(registry.uid, repository, { n: n + 1, last })
      const shown = found.slice(0, n)
      const manifests = shown.map((row) => present(registry.uid, repository, row))
      const body = { registry: registry.loginServer, imageName: repository, manifests }
      sendPage(exchange, body, found.length > n ? shown.at(-1)?.id : undefined, n)
    },

    async restore(exchange, { repository, digest }) {
      const { registry, query } = exchange
      const tag = await readTag(exchange)
      await writer.restoreManifest({
        registry: registry.uid,
        repository,
        digest,
        ...(tag !== undefined && { tag }),
        // Python's way to write it.
        force: query.get('force')?.toLowerCase() === 'true',
        deletion: deletionIn(registry),
        keepsTags: isNamedBy(registry.immutableTagsIn, repository),
      })
      const restored = { digest, ...(tag !== undefined && { tag }) }
      sendJson(exchange, 200, {
        registry: registry.loginServer,
        imageName: repository,
        ...restored,
      })
    },
  }
}

async function readTag({ request }: Exchange): Promise<string | undefined> {
  const bytes = await readBody(request, BODY_BYTES_MAX, () => new OciError('SIZE_INVALID'))
  const invalid = (detail: unknown) =>
    new OciError('TAG_INVALID', detail, { message: 'the body must be {"tag": "…"}' })
  let body: unknown
  try {
    body = bytes.length === 0 ? {} : JSON.parse(bytes.toString())
  } catch {
    throw invalid(null)
  }
  if (typeof body !== 'object' || body === null) throw invalid(null)
  const tag = 'tag' in body ? body.tag : undefined
  if (tag === undefined || tag === null || tag === '') return undefined
  if (typeof tag !== 'string' || !isTag(tag)) throw invalid({ tag })
  return tag
}

function parseIdPage(query: Query): { n: number; last: number } {
  const { n, last } = parsePage(query)
  if (last !== '' && !/^\d{1,15}$/.test(last)) {
    throw new OciError('PAGINATION_NUMBER_INVALID', { last })
  }
  return { n, last: Number(last) }
}

function sendPage(
  exchange: Exchange,
  body: unknown,
  last: string | number | undefined,
  n: number,
): void {
  const link = last === undefined ? {} : nextPage(exchange.path, { last: String(last), n })
  sendJson(exchange, 200, body, link)
}

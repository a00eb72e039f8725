import type { ContentReader } from '../content/content-reader.ts'
import { type Exchange, nextPage, parsePage, sendJson } from '../http/exchange.ts'
import { OciError } from '../http/oci-error.ts'

export interface ListRoutes {
  /** `/v2/_catalog` and `/acr/v1/_catalog`. */
  catalog(exchange: Exchange): Promise<void>
  tags(exchange: Exchange, repository: string): Promise<void>
}

/** Lists by pages: `n` names after `last`, and a `Link` to the next page while there is one. */
export function createListRoutes(reader: ContentReader): ListRoutes {
  return {
    async catalog(exchange) {
      const { n, last } = parsePage(exchange.query)
      const found = reader.repositories(exchange.registry.uid, { n: n + 1, last })
      const { path } = exchange
      // So has the service's own interface it, whatever the order.
      const order = path.startsWith('/acr/') ? { orderby: '' } : {}
      sendNames(exchange, { repositories: found.slice(0, n) }, found, n, path, order)
    },

    async tags(exchange, repository) {
      const { registry, query } = exchange
      if (!reader.hasRepository(registry.uid, repository)) {
        throw new OciError('NAME_UNKNOWN', { name: repository })
      }
      const { n, last } = parsePage(query)
      const found = reader.tagNames(registry.uid, repository, { n: n + 1, last })
      const body = { name: repository, tags: found.slice(0, n) }
      sendNames(exchange, body, found, n, `/v2/${repository}/tags/list`)
    },
  }
}

/** `found` has one name more than the page where there is another page. */
function sendNames(
  exchange: Exchange,
  body: unknown,
  found: readonly string[],
  n: number,
  path: string,
  parameters: Readonly<Record<string, string>> = {},
): void {
  const last = found[n - 1]
  const isMore = found.length > n && last !== undefined
  sendJson(exchange, 200, body, isMore ? nextPage(path, { last, n, ...parameters }) : {})
}

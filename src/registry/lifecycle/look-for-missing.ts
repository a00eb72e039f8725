import { isDigest } from '../../lib/digest.ts'
import { HOME } from '../replicas/home.ts'
import type { ScrubPorts } from './create-scrubber.ts'

/**
 * Has the blobs mended that a region should have and has not: of the next so many digests after `after`. Returns the
 * last of them; undefined where there are no more.
 */
export async function lookForMissing(
  { database, blobs, replicas, mender, signal }: ScrubPorts,
  {
    region,
    after,
    limit,
  }: { readonly region: string; readonly after: string; readonly limit: number },
): Promise<string | undefined> {
  signal.throwIfAborted()
  const store = region === HOME ? blobs : await replicas.store(region)
  const links = database
    .selectFrom('registry_blob_links as l')
    .where('l.digest', '>', after)
    .select('l.digest')
    .distinct()
    .orderBy('l.digest')
    .limit(limit)
  const rows =
    region === HOME
      ? await links.execute()
      : await links
          .innerJoin('registry_replicas as r', 'r.registry', 'l.registry')
          .where('r.region', '=', region)
          .execute()
  for (const { digest } of rows) {
    if (isDigest(digest) && !(await store.has(digest))) await mender.replace(region, digest)
  }
  return rows.at(-1)?.digest
}

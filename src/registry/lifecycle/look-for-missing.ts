import { isDigest } from '../../lib/digest.ts'
import { HOME } from '../replicas/home.ts'
import type { ScrubPorts } from './create-scrubber.ts'

/**
 * Mends blobs that a repository has and the home has not: of the next so many digests after `after`. Returns the last of
 * them; undefined where there are no more.
 */
export async function lookForMissing(
  { database, blobs, mender, signal }: ScrubPorts,
  after: string,
  limit: number,
): Promise<string | undefined> {
  signal.throwIfAborted()
  const rows = await database
    .selectFrom('registry_blob_links')
    .where('digest', '>', after)
    .select('digest')
    .distinct()
    .orderBy('digest')
    .limit(limit)
    .execute()
  for (const { digest } of rows) {
    if (isDigest(digest) && !(await blobs.has(digest))) await mender.mend(HOME, digest)
  }
  return rows.at(-1)?.digest
}

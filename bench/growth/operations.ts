import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { createContentReader } from '../../src/registry/content/content-reader.ts'
import { openReader } from '../../src/storage/open-reader.ts'
import { MANIFEST_TYPE, makeImage, pushImage } from '../registry/client/push.ts'
import type { Session } from '../registry/client/session.ts'
import type { Plane } from '../registry/plane.ts'

export const REPOSITORY = 'grown/app'
const TAG = 'here'
const PAGE = 10
const LAYER_BYTES = 10 * 1024

const smallImage = () => makeImage([randomBytes(LAYER_BYTES)])
const IMAGE = smallImage()

export interface Operation {
  readonly name: string
  /** How many times it is done for a median; what writes takes longer. */
  readonly times: number
  /** What goes before it, each time, and is not measured. */
  readonly before?: (session: Session) => Promise<void>
  run(session: Session, plane: Plane): Promise<void>
  /** Ends what it has opened. */
  readonly end?: () => void
}

/** Pushes the image that the operations read. */
export async function pushFixture(session: Session): Promise<void> {
  await pushImage(session, REPOSITORY, TAG, IMAGE)
}

/** Whatever the server remembers of the database is void after a commit. */
async function commit(session: Session): Promise<void> {
  const headers = { 'content-type': MANIFEST_TYPE }
  const url = `/v2/${REPOSITORY}/manifests/again`
  await session.call(REPOSITORY, 201, 'PUT', url, { headers, body: IMAGE.manifest })
}

let pushed = 0

/** What `az acr show-usage` asks for, without the control plane that it asks; so often that one time can be told. */
const USAGES = 1000
const readers = new Map<string, DatabaseSync>()

async function askForUsage({ folder, registry }: Plane): Promise<void> {
  const database = readers.get(folder) ?? openReader(join(folder, 'causeway.db'))
  readers.set(folder, database)
  const reader = createContentReader(database)
  for (let asked = 0; asked < USAGES; asked += 1) reader.storedBytes(registry)
}

const get = (name: string, path: string): Operation => ({
  name,
  times: 150,
  run: async (session) => {
    await session.call(REPOSITORY, 200, 'GET', path)
  },
})

/** Reads go to the database. Pages are as long as the smallest registry has entries, and begin in the middle of the largest. */
export const OPERATIONS: readonly Operation[] = [
  { ...get('manifest GET', `/v2/${REPOSITORY}/manifests/${TAG}`), before: commit },
  get('tag page', `/v2/${REPOSITORY}/tags/list?n=${PAGE}&last=v000004`),
  get('newest tags', `/acr/v1/${REPOSITORY}/_tags?n=${PAGE}&orderby=timedesc`),
  get('catalog page', `/v2/_catalog?n=${PAGE}&last=grown/r000004`),
  get('repository attributes', `/acr/v1/${REPOSITORY}`),
  {
    name: `usage, ${USAGES} times`,
    times: 50,
    run: (_session, plane) => askForUsage(plane),
    end() {
      for (const database of readers.values()) database.close()
      readers.clear()
    },
  },
  {
    name: 'push of a small image',
    times: 100,
    run(session) {
      pushed += 1
      return pushImage(session, REPOSITORY, `pushed-${pushed}`, smallImage())
    },
  },
]

import { randomUUID } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Principal } from '../identity/principal.ts'
import type { Change } from '../storage/change-feed.ts'
import type { Rows } from './read-context.ts'
import { keyOf, parseResourceId } from './resource-id.ts'
import type { Resource, SystemData } from './resource-type.ts'
import type { Services } from './services.ts'

/** What a hook or a client wants a resource to be; etag and system data are the ledger's business. */
export type Document = Omit<Resource, 'etag' | 'systemData'>

/** The one writer of resources within a transaction: it keeps etags, edges, changes and what has to be looked at again. */
export interface Ledger {
  readonly rows: Rows
  /** Stores; equal content is no change. `touches`: counts as a modification by the principal. */
  store(document: Document, touches: 'touched' | 'untouched'): Promise<Resource>
  /** Removes a resource and everything below it; nothing happens where nothing is. */
  remove(id: string): Promise<void>
  /** Takes the next key that has to be reconciled. */
  nextAffected(): string | undefined
  /** One for each resource, in the order of its last change. */
  changes(): readonly Omit<Change, 'revision'>[]
}

export function createLedger(services: Services, rows: Rows, principal: Principal): Ledger {
  const affected = new Set<string>()
  const changes = new Map<string, Omit<Change, 'revision'>>()

  async function record(id: string, type: string, kind: Change['kind']): Promise<void> {
    const key = keyOf(id)
    changes.delete(key)
    changes.set(key, { id, type, kind })
    // What has no `reconcile` is not even listed: a registry may have thousands of tokens.
    const { reconciled } = services.catalogue
    for (const each of await rows.referrerKeys(withAncestors(key), reconciled)) affected.add(each)
    for (const each of await rows.childKeys(key, reconciled)) affected.add(each)
  }

  async function removeOne(resource: Resource): Promise<void> {
    await rows.remove(keyOf(resource.id))
    await record(resource.id, resource.type, 'deleted')
    // The database answers within the turn: without a new one, names and pulls would wait for all of a large group.
    await nextTurn()
  }

  return {
    rows,
    async store(document, touches) {
      const wanted = plain(document)
      const before = await rows.byKey(keyOf(document.id))
      if (before && isDeepStrictEqual(contentOf(before), contentOf(wanted))) return before
      const systemData =
        before && touches === 'untouched'
          ? before.systemData
          : stamp(principal, services.clock.now(), before?.systemData)
      const stored: Resource = { ...wanted, etag: randomUUID(), systemData }
      const type = services.catalogue.type(document.type)
      const references = type?.references?.(stored) ?? []
      await rows.write(
        stored,
        keyOf(parseResourceId(stored.id)?.parent ?? ''),
        references.map((id) => parseResourceId(id)?.key ?? keyOf(id)),
      )
      await record(stored.id, stored.type, 'written')
      return stored
    },
    async remove(id) {
      const resource = await rows.byKey(keyOf(id))
      if (!resource) return
      // Ordered by key, parents come before their children.
      for (const inner of (await rows.below(keyOf(id))).toReversed()) await removeOne(inner)
      await removeOne(resource)
    },
    nextAffected() {
      const [key] = affected
      if (key !== undefined) affected.delete(key)
      return key
    },
    changes: () => [...changes.values()],
  }
}

function stamp(principal: Principal, now: Date, before: SystemData | undefined): SystemData {
  const by = principal.kind === 'User' ? principal.displayName : principal.appId
  const byType = principal.kind === 'User' ? 'User' : 'Application'
  const at = now.toISOString()
  return {
    createdBy: before?.createdBy ?? by,
    createdByType: before?.createdByType ?? byType,
    createdAt: before?.createdAt ?? at,
    lastModifiedBy: by,
    lastModifiedByType: byType,
    lastModifiedAt: at,
  }
}

// As the store will give it back: without members that are undefined.
const plain = (document: Document): Document => JSON.parse(JSON.stringify(document))

// Having no tags and having none of them are the same.
const contentOf = ({ location, tags = {}, top, properties }: Document) => ({
  location,
  tags,
  top,
  properties,
})

function withAncestors(key: string): readonly string[] {
  const keys: string[] = []
  for (let at = key; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) keys.push(at)
  return keys
}

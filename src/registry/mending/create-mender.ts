import type { Kysely } from 'kysely'
import type { Clock } from '../../lib/clock.ts'
import type { Digest } from '../../lib/digest.ts'
import { isErrno } from '../../lib/files.ts'
import type { BlobReader, BlobStore } from '../../storage/blob-store.ts'
import type { ReplicaStores } from '../../storage/replica-stores.ts'
import type { Tables } from '../../storage/tables.ts'
import { neededIn, ownerOf } from '../content/needed-blobs.ts'
import { HOME } from '../replicas/home.ts'
import { copyBlob } from './copy-blob.ts'
import { noteDamage, noteRepaired } from './damage.ts'
import { type Pace, readWhole } from './whole-blob.ts'

/** For how long a home that takes no bytes is not tried again for the same blob. */
const HOME_AGAIN_MS = 60_000

/** Makes sure of what a region has of a blob, and mends it from where it is whole. Regions are those of replicas, or `home`. */
export interface Mender {
  /**
   * For who could not read a blob there, or knows it to be damaged. Returns where it is whole now, by its digest where
   * it was copied: there, elsewhere, or nowhere.
   */
  mend(region: string, digest: Digest): Promise<string | undefined>
  /** Reads what a region has, and mends it where it is not whole. Returns how many bytes there were. */
  check(region: string, digest: Digest, pace: Pace): Promise<number>
  /** Mends what a region has not, unless nobody needs it there or it waits to be copied in any case. */
  replace(region: string, digest: Digest): Promise<void>
}

export interface MenderPorts {
  readonly database: Kysely<Tables>
  readonly home: BlobStore
  readonly replicas: ReplicaStores
  readonly clock: Clock
  readonly log: { error(event: object, message: string): void }
  /** Is called when regions are to get blobs again. */
  readonly queued: () => void
}

type Look = { readonly state: 'whole' | 'absent' | 'damaged'; readonly bytes: number }

export function createMender(ports: MenderPorts): Mender {
  const { database, home, replicas, clock, log, queued } = ports
  const mending = new Map<string, Promise<string | undefined>>()
  /** Regions that had a blob whole when the home could not be written. */
  const proven = new Map<Digest, { readonly region: string; readonly until: number }>()
  const now = () => clock.now().toISOString()
  const storeOf = async (region: string) => (region === HOME ? home : await replicas.store(region))

  /** Reads what a region has, and sets it aside where it is not whole. */
  async function look(region: string, digest: Digest, pace?: Pace): Promise<Look> {
    const store = await storeOf(region)
    const reader = await store.open(digest).catch((error: unknown) => {
      if (isErrno(error, 'EIO')) return 'unreadable' as const
      throw error
    })
    if (!reader) return { state: 'absent', bytes: 0 }
    if (reader === 'unreadable') {
      // What cannot be opened stays where it is, until there is something to put in its place.
      const damage = { region, digest, kind: 'mismatch' } as const
      await database.transaction().execute((each) => noteDamage(each, damage, now()))
      if (region !== HOME) queued()
      return { state: 'damaged', bytes: 0 }
    }
    try {
      const { isWhole, bytes } = await readWhole(reader, digest, pace)
      if (isWhole) return { state: 'whole', bytes }
      if (await setAside(region, digest, reader)) return { state: 'damaged', bytes }
    } finally {
      await reader.close()
    }
    // It has been removed, or pushed again, since it was opened.
    return look(region, digest, pace)
  }

  /** False where it is another file by now: whoever pushes it again links it after this transaction or before. */
  async function setAside(region: string, digest: Digest, reader: BlobReader): Promise<boolean> {
    const store = await storeOf(region)
    const isAside = await database.transaction().execute(async (transaction) => {
      if (!(await store.quarantine(digest, reader))) return false
      // What no replica there needs is not worth a person's look.
      const isWanted =
        region === HOME || (await neededIn(transaction, region, [digest])).has(digest)
      if (!isWanted) await store.remove(digest)
      if (isWanted) await noteDamage(transaction, { region, digest, kind: 'mismatch' }, now())
      return true
    })
    if (isAside && region !== HOME) queued()
    return isAside
  }

  /** In a transaction a link that has come or gone since is seen. */
  async function noteIfMissing(digest: Digest): Promise<void> {
    await database.transaction().execute(async (transaction) => {
      if (!(await ownerOf(transaction, digest)) || (await home.has(digest))) return
      await noteDamage(transaction, { region: HOME, digest, kind: 'missing' }, now())
    })
  }

  async function noteLacking(region: string, digest: Digest): Promise<void> {
    const store = await storeOf(region)
    await database.transaction().execute(async (transaction) => {
      const waiting = await transaction
        .selectFrom('registry_replica_queue')
        .where('region', '=', region)
        .where('digest', '=', digest)
        .select('digest')
        .limit(1)
        .executeTakeFirst()
      if (waiting || (await store.has(digest))) return
      if (!(await neededIn(transaction, region, [digest])).has(digest)) return
      await noteDamage(transaction, { region, digest, kind: 'missing' }, now())
    })
    queued()
  }

  /** Of a home that has it whole by now. False where its file has gone again in between. */
  const seenAtHome = (digest: Digest): Promise<boolean> =>
    database.transaction().execute(async (transaction) => {
      // Nobody's by now: the sweep takes it.
      if (!(await ownerOf(transaction, digest))) return true
      if (!(await home.has(digest))) return false
      await noteRepaired(transaction, HOME, digest, now())
      return true
    })

  /** Copies it home from a region. Returns where it is whole then: the region alone, where the home takes no bytes. */
  async function copyHome(
    region: string,
    registry: string,
    digest: Digest,
  ): Promise<string | undefined> {
    const reader = await (await replicas.store(region)).open(digest)
    if (!reader) return undefined
    try {
      const copied = await copyBlob(reader, home, { registry, digest }, () => seenAtHome(digest))
      if (copied === 'copied') return HOME
    } catch (error) {
      log.error({ err: error, region, digest }, 'a blob could not be copied home')
      if ((await readWhole(reader, digest)).isWhole) {
        proven.set(digest, { region, until: clock.now().getTime() + HOME_AGAIN_MS })
        return region
      }
    } finally {
      await reader.close()
    }
    // Not with the reader that has failed: the region has told nothing of its own file yet.
    await look(region, digest)
    return undefined
  }

  async function fromRegions(digest: Digest): Promise<string | undefined> {
    const registry = await ownerOf(database, digest)
    if (registry === undefined) return undefined
    for (const region of await replicas.regions()) {
      try {
        const found = await copyHome(region, registry, digest)
        if (found !== undefined) return found
      } catch (error) {
        log.error({ err: error, region, digest }, 'the blobs of a region cannot be read')
      }
    }
    return undefined
  }

  async function mendHome(digest: Digest): Promise<string | undefined> {
    const known = proven.get(digest)
    if (known && known.until > clock.now().getTime()) return known.region
    proven.delete(digest)
    const { state } = await look(HOME, digest)
    if (state === 'whole') {
      await seenAtHome(digest)
      return HOME
    }
    if (state === 'absent') await noteIfMissing(digest)
    return fromRegions(digest)
  }

  async function mendCopy(region: string, digest: Digest): Promise<string | undefined> {
    if ((await look(region, digest)).state === 'whole') return region
    return (await home.has(digest)) ? HOME : once(HOME, digest)
  }

  /** However many ask, one mends. */
  function once(region: string, digest: Digest): Promise<string | undefined> {
    const key = `${region} ${digest}`
    const known = mending.get(key)
    if (known) return known
    const work = region === HOME ? mendHome(digest) : mendCopy(region, digest)
    const made = work.finally(() => mending.delete(key))
    mending.set(key, made)
    return made
  }

  return {
    mend: once,
    async check(region, digest, pace) {
      const { state, bytes } = await look(region, digest, pace)
      // A region of replicas gets it by the queue.
      if (state === 'damaged' && region === HOME) await once(HOME, digest)
      return bytes
    },
    async replace(region, digest) {
      if (region === HOME) await once(HOME, digest)
      else await noteLacking(region, digest)
    },
  }
}

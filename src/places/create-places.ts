import { rm } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { PlaceId } from '../lib/origin.ts'
import { coalesce } from './coalesce.ts'
import { inParallel } from './in-parallel.ts'
import type { Listeners } from './listeners.ts'
import type { NamespaceDriver } from './namespace-driver.ts'
import { enterAsOwner } from './namespace-entry.ts'
import { namespacePrefix, programIdOf } from './namespace-names.ts'
import type { NetworkSource } from './network-source.ts'
import { PlaceBroken, PlacesNotInEffect, PlacesUnavailable, PlaceUnknown } from './place-errors.ts'
import { createPlaceListeners } from './place-listeners.ts'
import { type PlacePlan, planPlaces } from './place-plan.ts'
import type { PlaceStatus } from './place-status.ts'
import { type Attachment, createPrograms } from './programs.ts'
import { createRealPlace, type RealPlace } from './real-place.ts'
import { removeNamespaces } from './remove-namespaces.ts'
import { checkSupport, type Support } from './support.ts'

/** Places made real: namespaces, addresses, listeners, and the programs in them. */
export interface Places {
  /** Whether this machine can have places; found out once. */
  support(): Promise<Support>
  /**
   * Makes namespaces, addresses and listeners equal to what the source says; resolves when that is in effect. Where
   * places are not available it resolves without having done anything.
   *
   * @throws PlacesNotInEffect for places that could not be made; the next call tries again.
   */
  reconcile(): Promise<void>
  list(): readonly PlaceStatus[]
  /**
   * Gives a program an address in a place; `subnet` is a name, by default the network's first subnet.
   *
   * @throws PlaceUnknown, PlaceBroken, SubnetUnknown, PlaceFull, PlacesUnavailable
   */
  attach(request: { place: PlaceId; subnet?: string | undefined }): Promise<Attachment>
  /** Closes every listener and removes every namespace, running programs or not. */
  close(): Promise<void>
}

export interface PlacesOptions {
  /** Eight hex digits of the data folder; only namespaces with it are touched. */
  readonly mark: string
  /** For files that programs in places see; emptied at the end. */
  readonly folder: string
  readonly source: NetworkSource
  /** Addresses on which every place has the public side; asked for at each reconcile where it is a function. */
  readonly publicAddresses: readonly string[] | (() => readonly string[])
  readonly listeners: Listeners
  /** PEM file of the trust store in places. */
  readonly caBundle: string
  readonly log: Logger
  readonly driver: NamespaceDriver
  /** Called when nothing of a program runs any more. */
  readonly programGone?: () => void
}

// Each place costs a short-lived Node process: more at once only take turns on small machines.
const PLACES_AT_ONCE = 2

/** Makes the places that the networks ask for, and keeps them so. */
export function createPlaces(options: PlacesOptions): Places {
  const { mark, folder, source, publicAddresses, listeners, caBundle, log, driver, programGone } =
    options
  const prefix = namespacePrefix(mark)
  const real = new Map<PlaceId, RealPlace>()
  const attaching = new Set<Promise<Attachment>>()
  const reconciles = coalesce(reconcile)
  let supported: Promise<Support> | undefined
  let adopted = false
  let unwatch = (): void => {}
  let closed = false

  const programs = createPrograms({ driver, mark, folder, caBundle, log, gone })

  const support = (): Promise<Support> => {
    supported ??= checkSupport(driver, mark)
    return supported
  }

  async function reconcile(): Promise<void> {
    if (closed || !(await support()).available) return
    const existing = await listNamespaces()
    if (!adopted) {
      await programs.adopt(existing.keys())
      adopted = true
      unwatch = driver.watch(reconcileLater)
    }
    const plans = planPlaces({
      mark,
      networks: source.list(),
      publicAddresses: typeof publicAddresses === 'function' ? publicAddresses() : publicAddresses,
    })
    await removeAllBut(plans, existing)
    const failures = new Map<PlaceId, string>()
    await inParallel(PLACES_AT_ONCE, plans, async (plan) => {
      const failure = await placeOf(plan).become(plan, {
        identity: existing.get(plan.namespace),
        programs: programs.list().filter(({ place }) => place === plan.place),
      })
      if (failure !== undefined) failures.set(plan.place, failure)
    })
    if (failures.size > 0) throw new PlacesNotInEffect(failures)
  }

  async function listNamespaces(): Promise<ReadonlyMap<string, number>> {
    const found = [...(await driver.list(prefix))]
    // What a crash left before it was a namespace would stand in the way of a new one.
    // That of a program that is being attached just now is not one yet, either.
    const coming = new Set(programs.list().map(({ namespace }) => namespace))
    const broken = found.filter(([name, identity]) => identity === 0 && !coming.has(name))
    await inParallel(PLACES_AT_ONCE, broken, ([name]) => driver.remove(name))
    return new Map(found.filter(([, identity]) => identity !== 0))
  }

  async function removeAllBut(
    plans: readonly PlacePlan[],
    existing: ReadonlyMap<string, number>,
  ): Promise<void> {
    const places = new Set(plans.map(({ place }) => place))
    for (const [place, gone] of real) {
      if (places.has(place)) continue
      real.delete(place)
      await gone.close()
    }
    const namespaces = new Set(plans.map(({ namespace }) => namespace))
    const stale = [...existing.keys()].filter(
      (name) => !namespaces.has(name) && programIdOf(mark, name) === undefined,
    )
    await inParallel(PLACES_AT_ONCE, stale, (name) => driver.remove(name))
  }

  function placeOf(plan: PlacePlan): RealPlace {
    const { place, namespace } = plan
    const present = real.get(place)
    if (present) return present
    const made = createRealPlace({
      driver,
      log,
      listeners: createPlaceListeners({
        place,
        inside: async () => enterAsOwner(await driver.entry(namespace)),
        listeners,
        log,
      }),
    })
    real.set(place, made)
    return made
  }

  function gone(place: PlaceId | undefined): void {
    programGone?.()
    // An endpoint may have been given the address of the program, and gets it now.
    if (place && real.get(place)?.failure() !== undefined) reconcileLater()
  }

  function reconcileLater(): void {
    reconciles.run().catch((error) => log.error({ err: error }, 'places are not in effect'))
  }

  async function attach(place: PlaceId, subnet: string | undefined): Promise<Attachment> {
    const supporting = await support()
    if (!supporting.available) throw new PlacesUnavailable(supporting.cause, supporting.cure)
    await reconciles.idle()
    // What failed may go well by now; whoever comes is to find all that there can be.
    if (real.get(place)?.failure() !== undefined) await reconciles.run().catch(() => {})
    const found = real.get(place)
    const plan = found?.plan()
    if (closed || !found || !plan) throw new PlaceUnknown(place)
    if (!found.answersNames()) throw new PlaceBroken(place, found.failure())
    return programs.attach(plan, subnet)
  }

  return {
    support,
    reconcile: () => (closed ? Promise.resolve() : reconciles.run()),
    list: () =>
      [...real.values()].flatMap((place) => {
        const plan = place.plan()
        if (!plan) return []
        return place.status(programs.list().filter((program) => program.place === plan.place))
      }),

    attach({ place, subnet }) {
      const attachment = attach(place, subnet)
      attaching.add(attachment)
      const done = () => void attaching.delete(attachment)
      attachment.then(done, done)
      return attachment
    },

    async close() {
      closed = true
      unwatch()
      await Promise.allSettled([reconciles.idle(), ...attaching])
      await Promise.all([...real.values()].map((place) => place.close()))
      real.clear()
      if ((await supported)?.available) {
        await programs.close()
        await removeNamespaces(mark, driver)
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}

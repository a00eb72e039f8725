import { keyOf, parseResourceId } from '../../arm/resource-id.ts'
import type { Resource } from '../../arm/resource-type.ts'
import type { Zone, ZoneSource } from '../../dns/zone-source.ts'
import { networkPlace, type PlaceId } from '../../lib/origin.ts'
import type { Change, ChangeFeed } from '../../storage/change-feed.ts'
import { RECORD_KINDS } from './record-kind.ts'
import { ZONE_TYPE } from './record-set.ts'
import { LINK_TYPE, type LinkProperties } from './virtual-network-link.ts'
import { createZoneSnapshot, type ZoneContent } from './zone-snapshot.ts'

/** What the source reads: committed resources. */
interface Resources {
  get<P>(id: string): Promise<Resource<P> | undefined>
  all<P>(type: string): Promise<readonly Resource<P>[]>
}

interface LinkedNetwork {
  readonly linkId: string
  readonly networkKey: string
  readonly redirectsNxDomain: boolean
}

/** One zone as far as it is known; it shows in a network's view through each of its links. */
interface KnownZone extends ZoneContent {
  readonly links: Map<string, LinkedNetwork>
  snapshot?: ReturnType<typeof createZoneSnapshot>
}

const NETWORK_TYPE = 'Microsoft.Network/virtualNetworks'
const NETWORK_TYPE_KEY = keyOf(NETWORK_TYPE)
const SET_TYPES = ['SOA', ...RECORD_KINDS.map((kind) => kind.type)].map(
  (kind) => `${ZONE_TYPE}/${kind}`,
)
const SET_TYPE_KEYS = new Set(SET_TYPES.map(keyOf))
const LINK_TYPE_KEY = keyOf(LINK_TYPE)

/** The private zones of all networks, in memory: loaded once, then kept up by the change feed, one resource at a time. */
export async function createZoneSource({
  resources,
  feed,
}: {
  readonly resources: Resources
  readonly feed: Pick<ChangeFeed, 'subscribe'>
}): Promise<ZoneSource> {
  const zones = new Map<string, KnownZone>()
  const places = new Map<string, PlaceId>()
  let views: ReadonlyMap<PlaceId, readonly Zone[]> = new Map()
  let version = 0

  function zoneOf(childId: string): KnownZone {
    const id = parseResourceId(childId)?.parent ?? ''
    const known = zones.get(keyOf(id))
    if (known) return known
    const zone = { id, sets: new Map(), links: new Map() }
    zones.set(keyOf(id), zone)
    return zone
  }

  function keepSet(id: string, set: Resource | undefined): void {
    const zone = zoneOf(id)
    if (set) zone.sets.set(keyOf(id), set)
    else zone.sets.delete(keyOf(id))
    delete zone.snapshot
  }

  function keepLink(id: string, link: Resource<LinkProperties> | undefined): void {
    const { links } = zoneOf(id)
    if (!link) {
      links.delete(keyOf(id))
      return
    }
    const { virtualNetwork, resolutionPolicy } = link.properties
    links.set(keyOf(id), {
      linkId: link.id,
      networkKey: keyOf(virtualNetwork.id),
      redirectsNxDomain: resolutionPolicy === 'NxDomainRedirect',
    })
  }

  function keepNetwork(id: string, network: Resource<{ resourceGuid?: string }> | undefined): void {
    const guid = network?.properties.resourceGuid
    if (guid) places.set(keyOf(id), networkPlace(guid))
    else places.delete(keyOf(id))
  }

  function rebuildViews(): void {
    const next = new Map<PlaceId, Zone[]>()
    for (const [key, zone] of zones) {
      // A zone that has neither is gone: its SOA never leaves it before.
      if (zone.sets.size === 0 && zone.links.size === 0) {
        zones.delete(key)
        continue
      }
      for (const { linkId, networkKey, redirectsNxDomain } of zone.links.values()) {
        const place = places.get(networkKey)
        zone.snapshot ??= createZoneSnapshot(zone)
        if (!place || !zone.snapshot) continue
        const visible = next.get(place) ?? []
        visible.push({ ...zone.snapshot, linkId, redirectsNxDomain })
        next.set(place, visible)
      }
    }
    views = next
    version += 1
  }

  async function load(): Promise<void> {
    for (const type of SET_TYPES) {
      for (const set of await resources.all<Record<string, unknown>>(type)) keepSet(set.id, set)
    }
    for (const link of await resources.all<LinkProperties>(LINK_TYPE)) keepLink(link.id, link)
    for (const network of await resources.all<{ resourceGuid?: string }>(NETWORK_TYPE)) {
      keepNetwork(network.id, network)
    }
    rebuildViews()
  }

  async function follow(changes: readonly Change[]): Promise<void> {
    let isAffected = false
    for (const { id, type } of changes) {
      const typeKey = keyOf(type)
      if (SET_TYPE_KEYS.has(typeKey)) keepSet(id, await resources.get(id))
      else if (typeKey === LINK_TYPE_KEY) keepLink(id, await resources.get(id))
      else if (typeKey === NETWORK_TYPE_KEY) keepNetwork(id, await resources.get(id))
      else continue
      isAffected = true
    }
    if (isAffected) rebuildViews()
  }

  // Changes committed while the rest is being loaded wait their turn, and so does each batch after them.
  let work = load()
  feed.subscribe((changes) => {
    work = work.catch(() => {}).then(() => follow(changes))
    return work
  })
  await work

  return {
    zonesVisibleFrom: (place) => views.get(place) ?? [],
    get version() {
      return version
    },
  }
}

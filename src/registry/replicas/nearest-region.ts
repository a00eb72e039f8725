import type { Origin } from '../../lib/origin.ts'
import type { RegistryFacts } from '../registry-directory.ts'

/** The region of a registry that serves a client: that of the client's network where the registry is there, else the home. */
export type NearestRegion = (registry: RegistryFacts, origin: Origin) => string

/** @param regionOf the region of the network that a place is made for */
export const createNearestRegion =
  (regionOf: (place: string) => string | undefined): NearestRegion =>
  ({ dataEndpoints, homeRegion }, origin) => {
    // Most registries are in one region.
    if (dataEndpoints.length < 2 || origin.via === 'host') return homeRegion
    const region = regionOf(origin.place)
    return region && dataEndpoints.some((each) => each.region === region) ? region : homeRegion
  }

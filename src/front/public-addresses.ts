import { REGIONS } from '../lib/regions.ts'
import type { RegistryDirectory } from '../registry/registry-directory.ts'

/** Where the names of the public cloud are, from every place. */
export const CLOUD_ADDRESS = '20.45.255.1'

// The address that the documentation of private endpoints shows for a registry in West Europe.
const DOCUMENTED: ReadonlyMap<string, string> = new Map([['westeurope', '20.45.122.144']])

const REGION_ADDRESSES: ReadonlyMap<string, string> = new Map(
  REGIONS.map(({ name }, index) => [name, DOCUMENTED.get(name) ?? `20.45.${index + 1}.144`]),
)

/** The public address of every registry's front in `region`. Throws for a region that there is not. */
export function publicAddressOf(region: string): string {
  const address = REGION_ADDRESSES.get(region)
  if (address === undefined) throw new Error(`'${region}' is not a region`)
  return address
}

/** The addresses of the public side that some name leads to now. */
export function publicAddressesInUse(
  directory: Pick<RegistryDirectory, 'list'>,
): readonly string[] {
  const regions = directory
    .list()
    .flatMap(({ homeRegion, dataEndpoints }) => [homeRegion, ...dataEndpoints.map((e) => e.region)])
  return [CLOUD_ADDRESS, ...new Set(regions.map(publicAddressOf))]
}

import { type Cidr, isWithinPrefix, overlaps } from '../../lib/cidr.ts'
import { networkError } from './network-error.ts'

/** The subnets of one network, by name. */
export type SubnetPrefixes = ReadonlyMap<string, Cidr>

/** Azure's smallest subnet: three addresses are left to give out. */
const LONGEST_PREFIX = 29

/**
 * Whether one subnet fits into a network beside the others. Names compare without regard to case.
 *
 * @throws ArmError 400 NetcfgInvalidSubnet, NetcfgSubnetRangeOutsideVnet or NetcfgSubnetRangesOverlap.
 */
export function requireSubnetFits(
  name: string,
  prefix: Cidr,
  network: { readonly name: string; readonly prefixes: readonly Cidr[] },
  others: SubnetPrefixes,
): void {
  if (prefix.length > LONGEST_PREFIX) {
    throw networkError(
      'NetcfgInvalidSubnet',
      `Subnet '${name}' is not valid in virtual network '${network.name}'.`,
    )
  }
  if (!network.prefixes.some((space) => isWithinPrefix(prefix, space))) {
    throw networkError(
      'NetcfgSubnetRangeOutsideVnet',
      `Subnet '${name}' is not valid because its IP address range is outside the IP address range of virtual ` +
        `network '${network.name}'.`,
    )
  }
  for (const [other, taken] of others) {
    if (other.toLowerCase() === name.toLowerCase() || !overlaps(prefix, taken)) continue
    throw networkError(
      'NetcfgSubnetRangesOverlap',
      `Subnet '${name}' is not valid because its IP address range overlaps with that of an existing subnet in ` +
        `virtual network '${network.name}'.`,
    )
  }
}

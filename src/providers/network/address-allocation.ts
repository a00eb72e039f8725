import { isSameId } from '../../arm/resource-id.ts'
import type { Context, Resource } from '../../arm/resource-type.ts'
import { type Cidr, contains, formatCidr, isUsable, usableAddresses } from '../../lib/cidr.ts'
import { networkError } from './network-error.ts'
import { type InterfaceProperties, NETWORK_INTERFACES } from './network-interface-schema.ts'

/** An address in use: which interface holds it, and in which of its configurations. */
export interface Allocation {
  readonly address: string
  readonly interfaceId: string
  readonly configurationId: string
}

/** Addresses in use in a subnet, lowest interface name first; those of the interface `except` are left out. */
export async function allocationsIn(
  subnetId: string,
  context: Context,
  except?: string,
): Promise<readonly Allocation[]> {
  const holders = await context.referrers<InterfaceProperties>(subnetId, NETWORK_INTERFACES)
  return holders
    .filter((holder) => !except || !isSameId(holder.id, except))
    .flatMap((holder) => allocationsOf(holder, subnetId))
}

function allocationsOf(
  holder: Resource<InterfaceProperties>,
  subnetId: string,
): readonly Allocation[] {
  return holder.properties.ipConfigurations.flatMap(({ name, properties }) => {
    const address = properties.privateIPAddress
    if (!address || !isSameId(properties.subnet.id, subnetId)) return []
    const configurationId = `${holder.id}/ipConfigurations/${name}`
    return [{ address, interfaceId: holder.id, configurationId }]
  })
}

/** A subnet to take addresses from. */
export interface AddressPool {
  readonly subnetName: string
  readonly prefix: Cidr
  readonly allocations: readonly Allocation[]
  /** Had by programs that run in the network. */
  readonly held: readonly string[]
}

/**
 * The lowest `count` free addresses, apart from those in `spoken`.
 *
 * @throws ArmError 400 SubnetIsFull
 */
export function takeLowestAddresses(
  pool: AddressPool,
  count: number,
  spoken: readonly string[] = [],
): readonly string[] {
  const allocated = pool.allocations.map((allocation) => allocation.address)
  const taken = new Set([...spoken, ...allocated, ...pool.held])
  const found: string[] = []
  if (count === 0) return found
  for (const address of usableAddresses(pool.prefix)) {
    if (taken.has(address)) continue
    found.push(address)
    if (found.length === count) return found
  }
  throw networkError(
    'SubnetIsFull',
    `Subnet ${pool.subnetName} with address prefix ${formatCidr(pool.prefix)} does not have enough capacity for ` +
      `${count} IP addresses.`,
  )
}

/**
 * Checks an address that a client chose for an IP configuration.
 *
 * @throws ArmError 400 PrivateIPAddressNotInSubnet, PrivateIPAddressInReservedRange or PrivateIPAddressIsAllocated.
 */
export function requireFreeAddress(
  address: string,
  configurationId: string,
  pool: AddressPool,
): void {
  const prefix = formatCidr(pool.prefix)
  if (!contains(pool.prefix, address)) {
    throw networkError(
      'PrivateIPAddressNotInSubnet',
      `Private static IP address ${address} does not belong to the range of subnet prefix ${prefix}.`,
    )
  }
  if (!isUsable(pool.prefix, address)) {
    throw networkError(
      'PrivateIPAddressInReservedRange',
      `Private static IP address ${address} falls within reserved IP range of subnet prefix ${prefix}.`,
    )
  }
  const owner = pool.allocations.find((allocation) => allocation.address === address)
  if (!owner && !pool.held.includes(address)) return
  throw networkError(
    'PrivateIPAddressIsAllocated',
    `IP configuration ${configurationId} is using the private IP address ${address} which is already allocated to ` +
      `${owner ? `resource ${owner.interfaceId}` : 'a program that runs in the network'}.`,
  )
}

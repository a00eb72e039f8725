import { parseResourceId } from '../../arm/resource-id.ts'
import type { Context, Resource } from '../../arm/resource-type.ts'
import type { AddressPool } from './address-allocation.ts'
import { allocationsIn } from './address-allocation.ts'
import { parseLinkedId, requireLinkedRight } from './linked-resource.ts'
import { invalidResourceReference } from './network-error.ts'
import { subnetPrefix } from './subnet.ts'
import { SUBNETS, type SubnetProperties } from './subnet-schema.ts'

/**
 * The subnet that a resource wants to join, which must be in the resource's own region.
 *
 * @throws ArmError 400 LinkedInvalidPropertyId or InvalidResourceReference, 403 LinkedAuthorizationFailed.
 */
export async function requireSubnet(
  subnetId: string,
  path: string,
  by: Pick<Resource, 'id' | 'type' | 'location'>,
  context: Context,
): Promise<Resource<SubnetProperties>> {
  const parsed = parseLinkedId(subnetId, path)
  const subnet = await context.get<SubnetProperties>(parsed.id)
  const network = parsed.parent === undefined ? undefined : await context.get(parsed.parent)
  if (subnet?.type !== SUBNETS || network?.location !== by.location) {
    throw invalidResourceReference(subnetId, by.id)
  }
  requireLinkedRight(
    { action: `${by.type}/write`, id: by.id },
    { action: `${SUBNETS}/join/action`, id: subnet.id },
    context,
  )
  return subnet
}

/** Who else has addresses in a network: the programs that run there. In memory. */
export interface AddressHolders {
  heldAddresses(networkId: string): readonly string[]
}

/** What there is to take in a subnet, as seen by the interface `interfaceId`, which may keep its own. */
export async function addressPool(
  subnet: Resource<SubnetProperties>,
  context: Context,
  interfaceId: string,
  holders: AddressHolders,
): Promise<AddressPool> {
  return {
    subnetName: subnet.name,
    prefix: subnetPrefix(subnet),
    allocations: await allocationsIn(subnet.id, context, interfaceId),
    held: holders.heldAddresses(networkOf(subnet.id)),
  }
}

/** The network that a subnet lies in. */
export const networkOf = (subnetId: string): string => parseResourceId(subnetId)?.parent ?? ''

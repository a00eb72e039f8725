import type { Context, PrivateLinkGroup } from '../../arm/resource-type.ts'
import { type AddressPool, requireFreeAddress, takeLowestAddresses } from './address-allocation.ts'
import { type AddressHolders, addressPool } from './linked-subnet.ts'
import { networkError } from './network-error.ts'
import type { EndpointMember, PrivateEndpointProperties } from './private-endpoint-schema.ts'
import type { SubnetProperties } from './subnet-schema.ts'

/** An endpoint whose interface has its id already. */
export interface Holder {
  readonly id: string
  readonly interfaceId: string
  readonly properties: PrivateEndpointProperties
}

/**
 * The endpoint's members as the target's group has them now: known ones keep their addresses, gone ones are left
 * out, new ones come last and get the address chosen for them, or the lowest that is free.
 *
 * @throws ArmError 400 where the subnet is full, a chosen address cannot be had, or only some were chosen.
 */
export async function settleMembers(
  holder: Holder,
  group: PrivateLinkGroup,
  context: Context,
  holders: AddressHolders,
): Promise<EndpointMember[]> {
  const kept = (holder.properties.members ?? []).flatMap((member) => {
    const current = group.members.find((each) => each.name === member.name)
    return current ? [{ ...member, fqdn: current.fqdn }] : []
  })
  const fresh = group.members.filter(({ name }) => !kept.some((member) => member.name === name))
  if (fresh.length === 0) return kept
  const subnet = await context.get<SubnetProperties>(holder.properties.subnet.id)
  if (!subnet) throw new Error(`${holder.id} lost its subnet`)
  const pool = await addressPool(subnet, context, holder.interfaceId, holders)
  const spoken = kept.map((member) => member.address)
  const places = staticConfigurations(holder.properties).length
    ? chosenPlaces(holder, group, fresh, pool, spoken)
    : takeLowestAddresses(pool, fresh.length, spoken).map((address) => ({
        address,
        configuration: `privateEndpointIpConfig.${context.uuid()}`,
      }))
  const added = fresh.flatMap(({ name, fqdn }, index) => {
    const place = places[index]
    return place ? [{ groupId: group.groupId, name, fqdn, ...place }] : []
  })
  return [...kept, ...added]
}

/** The configurations by which a client chose addresses for members. */
export const staticConfigurations = ({ ipConfigurations }: PrivateEndpointProperties) =>
  ipConfigurations.filter(({ properties }) => properties.memberName !== undefined)

function chosenPlaces(
  holder: Holder,
  group: PrivateLinkGroup,
  fresh: PrivateLinkGroup['members'],
  pool: AddressPool,
  spoken: readonly string[],
): readonly Pick<EndpointMember, 'address' | 'configuration'>[] {
  const chosen = staticConfigurations(holder.properties)
  const found = fresh.map(({ name }) =>
    chosen.find(({ properties }) => properties.memberName === name),
  )
  const missing = fresh.filter((_, index) => !found[index]).map(({ name }) => name)
  if (missing.length > 0) throw missingConfigurations(holder, group, missing)
  const taken = new Set(spoken)
  return found.flatMap((configuration) => {
    if (!configuration) return []
    const { name, properties } = configuration
    const address = properties.privateIPAddress
    const id = `${holder.interfaceId}/ipConfigurations/${name}`
    const allocations = [...taken].map((each) => ({
      address: each,
      interfaceId: holder.interfaceId,
      configurationId: id,
    }))
    requireFreeAddress(address, id, {
      ...pool,
      allocations: [...pool.allocations, ...allocations],
    })
    taken.add(address)
    return [{ address, configuration: name }]
  })
}

function missingConfigurations(
  holder: Holder,
  group: PrivateLinkGroup,
  missing: readonly string[],
) {
  const describe = (name: string) => `GroupId: ${group.groupId}, MemberName: ${name}`
  const present = staticConfigurations(holder.properties).map(({ properties }) =>
    describe(properties.memberName ?? ''),
  )
  return networkError(
    'PrivateEndpointIpConfigurationsMissing',
    `Private Endpoint ${holder.id} contains static ipconfigurations: [${present.join('; ')}] and it's missing these ` +
      'membernames/groupids requested by Private Link service ' +
      `[${missing.map((name) => `${describe(name)}, IpVersion: IPv4`).join('; ')}]. Private Endpoint needs to be ` +
      'reconfigured with missing memberNames.',
  )
}

import type { NetworkFacts, NetworkSource } from '../places/network-source.ts'
import type { AttachRequest } from './contract.ts'
import { OperatorError } from './operator-error.ts'

/** The place that somebody names by its network, or the internet. @throws OperatorError that says what there is */
export function findPlace(
  where: AttachRequest['where'],
  source: NetworkSource,
): { place: string; placeName: string; subnet?: string } {
  if ('internet' in where) return { place: 'internet', placeName: 'internet' }
  const networks = source.list()
  const named = networks.filter((network) => isNamed(network, where))
  const [network, other] = named
  if (!network) {
    const { network: wanted, resourceGroup } = where
    const inGroup = resourceGroup === undefined ? '' : ` in the group '${resourceGroup}'`
    const known = networks.map((each) => `${each.name} (${each.resourceGroup})`).join(', ')
    throw new OperatorError(
      404,
      `There is no network '${wanted}'${inGroup}. There are: ${known || 'none yet'}.`,
    )
  }
  if (other) {
    const groups = named.map((candidate) => candidate.resourceGroup).join(', ')
    throw new OperatorError(
      409,
      `Several networks are called '${where.network}': add --resource-group with one of ${groups}.`,
    )
  }
  const { place, name: placeName } = network
  if (where.subnet === undefined) return { place, placeName }
  const subnet = network.subnets.find((candidate) => isSameName(candidate.name, where.subnet))
  if (subnet) return { place, placeName, subnet: subnet.name }
  const known = network.subnets.map((candidate) => candidate.name).join(', ') || 'none yet'
  throw new OperatorError(404, `${placeName} has no subnet '${where.subnet}'. It has: ${known}.`)
}

const isNamed = (
  network: NetworkFacts,
  where: { readonly network: string; readonly resourceGroup?: string | undefined },
): boolean =>
  isSameName(network.name, where.network) &&
  (where.resourceGroup === undefined || isSameName(network.resourceGroup, where.resourceGroup))

const isSameName = (one: string, other: string | undefined): boolean =>
  one.toLowerCase() === other?.toLowerCase()

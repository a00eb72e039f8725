import type { Principals } from '../identity/principals.ts'
import type { Places } from '../places/create-places.ts'
import type { NetworkFacts, NetworkSource } from '../places/network-source.ts'
import { PlacesUnavailable, PlaceUnknown, SubnetUnknown } from '../places/place-errors.ts'
import { PlaceFull } from '../places/place-full.ts'
import type { Attached, AttachRequest } from './contract.ts'
import { OperatorError } from './operator-error.ts'
import { findPrincipal } from './principals.ts'
import type { ProgramHomes } from './program-homes.ts'
import type { ProgramIdentities } from './program-identities.ts'

export interface AttachOptions {
  readonly places: Places
  readonly networks: NetworkSource
  readonly principals: Principals
  readonly tenantId: string
  readonly subscriptionId: string
  readonly homes: ProgramHomes
  readonly identities: ProgramIdentities
  /** The principal that programs run as by default. */
  readonly ownerName: string
}

/** Gives a program an address in a place and credentials of its own; `release` takes both away again. */
export async function attachProgram(
  request: AttachRequest,
  options: AttachOptions,
): Promise<{ attached: Attached; release(): Promise<void> }> {
  const { places, principals, tenantId, subscriptionId } = options
  const name = request.as ?? options.ownerName
  const principal = await findPrincipal(name, principals)
  const { place, placeName, subnet } = findPlace(request.where, options.networks)
  const attachment = await places.attach({ place, ...(subnet && { subnet }) }).catch((error) => {
    if (error instanceof PlacesUnavailable) {
      throw new OperatorError(503, error.message, { cause: error })
    }
    const isRefused = REFUSALS.some((refusal) => error instanceof refusal)
    throw isRefused ? new OperatorError(409, error.message, { cause: error }) : error
  })
  try {
    // Only whom a program was told to be is its managed identity.
    if (request.as !== undefined) await options.identities.give(attachment.id, principal)
    const { path: home, clientSecret } = await options.homes.open(attachment.id, principal, request)
    return {
      attached: {
        id: attachment.id,
        place,
        placeName,
        address: attachment.address,
        namespace: attachment.namespace,
        entry: attachment.entry,
        files: attachment.files,
        home,
        credentials: { tenantId, clientId: principal.appId, clientSecret, subscriptionId },
      },
      async release() {
        await attachment.release()
        await options.homes.tidy()
        await options.identities.tidy()
      },
    }
  } catch (error) {
    await attachment.release()
    throw error
  }
}

const REFUSALS = [PlaceFull, PlaceUnknown, SubnetUnknown]

function findPlace(
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

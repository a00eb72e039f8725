import type { Principals } from '../identity/principals.ts'
import type { Places } from '../places/create-places.ts'
import type { NetworkSource } from '../places/network-source.ts'
import {
  PlaceBroken,
  PlacesUnavailable,
  PlaceUnknown,
  SubnetUnknown,
} from '../places/place-errors.ts'
import { PlaceFull } from '../places/place-full.ts'
import type { Attached, AttachRequest } from './contract.ts'
import { findPlace } from './find-place.ts'
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
    if (error instanceof PlacesUnavailable || error instanceof PlaceBroken) {
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
      release: () => attachment.release(),
    }
  } catch (error) {
    await attachment.release()
    throw error
  }
}

const REFUSALS = [PlaceFull, PlaceUnknown, SubnetUnknown]

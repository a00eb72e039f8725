import { createIdentity } from '../identity/create-identity.ts'
import { openOwner } from '../identity/owner.ts'
import { createPrincipals } from '../identity/principals.ts'
import { systemClock as clock } from '../lib/clock.ts'
import type { Closing } from '../lib/closing.ts'
import { createHostPrograms } from '../operator/host-programs.ts'
import { createOwnWork } from '../operator/own-work.ts'
import { createProgramHomes } from '../operator/program-homes.ts'
import { createProgramIdentities } from '../operator/program-identities.ts'
import type { Stores } from './open-stores.ts'

export type PrincipalsAtWork = Awaited<ReturnType<typeof openPrincipals>>

/** Who there is, how they sign in, and for which work credentials were minted. `inPlaces`: the ids of programs there. */
export async function openPrincipals(
  stores: Stores,
  options: { readonly hostNames: readonly string[]; readonly inPlaces: () => readonly string[] },
  closing: Closing,
) {
  const { database, folder, keys, log, sealer, settings } = stores
  const { hostNames, inPlaces } = options
  const { tenantId, subscriptionId } = settings
  // What a secret was minted for runs: a program in a place, or the server's own work.
  const ownWork = createOwnWork()
  const isAwake = (owner: string): boolean =>
    ownWork.isAwake(owner) || homes.isAwake(owner) || identities.isAwake(owner)
  const principals = createPrincipals({ database, clock, isAwake })
  const running = () => [...inPlaces(), ...hostPrograms.running()]
  const identities = createProgramIdentities({ principals, running })
  const { clients, run } = folder
  const homes = createProgramHomes({ clients, run, principals, sealer, running })
  await homes.adopt()
  const owner = await openOwner(principals)
  const ownerName = owner.displayName
  const hostPrograms = createHostPrograms({
    principals,
    homes,
    tenantId,
    subscriptionId,
    ownerName,
  })
  const identity = await createIdentity({
    database,
    principals,
    keys,
    tenantId,
    hostNames,
    clock,
    log,
  })
  closing.add(() => identity.authority.close())
  return { ...identity, principals, owner, ownWork, homes, identities, hostPrograms, isAwake }
}

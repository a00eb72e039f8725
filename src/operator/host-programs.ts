import { randomUUID } from 'node:crypto'
import type { Principals } from '../identity/principals.ts'
import type { HostProgram, HostRequest } from './contract.ts'
import { findPrincipal } from './principals.ts'
import type { ProgramHomes } from './program-homes.ts'

/** Programs that run on the host, outside every place, with a home and credentials as programs in places have them. */
export interface HostPrograms {
  /**
   * Wakes the credentials of the program's home until `release`.
   *
   * @throws OperatorError
   */
  start(request: HostRequest): Promise<{ program: HostProgram; release(): Promise<void> }>
  /** Ids of the programs that run. One that outlives a server is none of the next one's. */
  running(): readonly string[]
}

export function createHostPrograms(options: {
  readonly principals: Pick<Principals, 'byName'>
  readonly homes: Pick<ProgramHomes, 'open' | 'tidy'>
  readonly tenantId: string
  readonly subscriptionId: string
  /** The principal that programs run as by default. */
  readonly ownerName: string
}): HostPrograms {
  const { principals, homes, tenantId, subscriptionId, ownerName } = options
  const ids = new Set<string>()
  return {
    async start({ as = ownerName, ...user }) {
      const principal = await findPrincipal(as, principals)
      const id = `host-${randomUUID()}`
      const release = async () => {
        ids.delete(id)
        await homes.tidy()
      }
      ids.add(id)
      try {
        const { path: home, clientSecret } = await homes.open(id, principal, user)
        const credentials = { tenantId, clientId: principal.appId, clientSecret, subscriptionId }
        return { program: { name: principal.displayName, home, credentials }, release }
      } catch (error) {
        await release()
        throw error
      }
    },
    running: () => [...ids],
  }
}

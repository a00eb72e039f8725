import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Principal } from '../identity/principal.ts'
import type { Principals } from '../identity/principals.ts'
import { type ArmClient, createArmClient } from '../rehearsal/arm-client.ts'

/** What the server does by its own public interface, with the owner's rights. */
export interface OwnWork {
  /** Whether a credential was minted for work that is going on. */
  isAwake(owner: string): boolean
  /** A client for as long as `work` takes. */
  run<T>(
    work: (arm: ArmClient) => Promise<T>,
    as: {
      readonly owner: Principal
      readonly principals: Pick<Principals, 'mintSecret' | 'revokeSecrets'>
      readonly url: string
      /** PEM file of the CA of `url`. */
      readonly certificateFile: string
    },
  ): Promise<T>
}

export function createOwnWork(): OwnWork {
  const going = new Set<string>()
  return {
    isAwake: (owner) => going.has(owner),
    async run(work, { owner, principals, url, certificateFile }) {
      const id = `#${randomUUID()}`
      going.add(id)
      const arm = createArmClient({
        url,
        ca: await readFile(certificateFile, 'utf8'),
        clientId: owner.appId,
        clientSecret: await principals.mintSecret(owner, id),
      })
      try {
        return await work(arm)
      } finally {
        arm.close()
        going.delete(id)
        await principals.revokeSecrets(id)
      }
    },
  }
}

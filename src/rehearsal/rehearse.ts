import { join } from 'node:path'
import { replaceFile } from '../lib/durable-file.ts'
import { exists } from '../lib/exists.ts'
import type { Attached, AttachRequest, ServerStatus } from '../operator/contract.ts'
import { type ArmClient, ArmRefusal } from './arm-client.ts'
import { NAMES } from './names.ts'
import { type Proof, prove } from './prove.ts'
import { setUpSteps } from './set-up.ts'

/** What a rehearsal needs of the running server. */
export interface RehearsalServer {
  status(): Promise<ServerStatus>
  attach(request: AttachRequest): Promise<{ attached: Attached; release(): Promise<void> }>
  /** A client of the public interface with the owner's rights, for as long as `work` takes. */
  asOwner<T>(work: (arm: ArmClient) => Promise<T>): Promise<T>
}

export type Outcome =
  | { readonly kind: 'proven'; readonly proof: Proof }
  /** The set-up was deleted by its owner: nothing to prove. */
  | { readonly kind: 'not-there'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }

interface Progress {
  step<T>(title: string, work: () => Promise<T>): Promise<T>
}

/** Makes the article's set-up once in the life of a data folder, and proves it at every start. */
export async function rehearse(server: RehearsalServer, progress: Progress): Promise<Outcome> {
  const { dataFolder, subscriptionId, registryDomain, placesUnavailable } = await server.status()
  const marker = join(dataFolder, 'set-up.json')
  if (!(await exists(marker))) {
    await server.asOwner(async (arm) => {
      for (const { title, run } of setUpSteps(subscriptionId, registryDomain)) {
        await progress.step(title, () => run(arm))
      }
    })
    const made = { madeAt: new Date().toISOString(), group: NAMES.group }
    await replaceFile(marker, `${JSON.stringify(made)}\n`)
  }
  if (placesUnavailable) return { kind: 'failed', reason: 'Nothing can be proven without places.' }
  if (!(await server.asOwner((arm) => isThere(arm, subscriptionId)))) {
    const reason = `The set-up of the article was deleted; a new data folder (--data) gets a new one.`
    return { kind: 'not-there', reason }
  }
  try {
    return { kind: 'proven', proof: await prove(server.attach, registryDomain) }
  } catch (error) {
    // What keeps a client from its place does not keep the server from serving the others.
    const reason = error instanceof Error ? error.message : String(error)
    return { kind: 'failed', reason: `The proof could not be made: ${reason}` }
  }
}

async function isThere(arm: ArmClient, subscriptionId: string): Promise<boolean> {
  const group = `/subscriptions/${subscriptionId}/resourceGroups/${NAMES.group}`
  const ids = [
    `${group}/providers/Microsoft.ContainerRegistry/registries/${NAMES.registry}`,
    `${group}/providers/Microsoft.Network/virtualNetworks/${NAMES.network}`,
  ]
  try {
    for (const id of ids) await arm.send('GET', id)
    return true
  } catch (error) {
    if (error instanceof ArmRefusal && error.status === 404) return false
    throw error
  }
}

import { randomBytes } from 'node:crypto'
import type { NamespaceDriver } from './namespace-driver.ts'
import { namespacePrefix } from './namespace-names.ts'
import { endIdle } from './remove-namespaces.ts'
import { explainRefusal } from './user-namespaces.ts'

export type Support =
  | { readonly available: true }
  | { readonly available: false; readonly cause: string; readonly cure: string }

/**
 * Finds out whether this machine can have places, by making and removing a namespace; where some are there from before
 * a crash, it can.
 */
export async function checkSupport(driver: NamespaceDriver, mark: string): Promise<Support> {
  if (process.platform !== 'linux') {
    return {
      available: false,
      cause: 'Places are Linux network namespaces, and this is another system.',
      cure: 'Run Causeway on a Linux machine, real or virtual.',
    }
  }
  const trials = `${namespacePrefix(mark)}trial-`
  const before = await driver.list(namespacePrefix(mark)).catch(() => new Map<string, number>())
  if ([...before].some(([name, identity]) => identity !== 0 && !name.startsWith(trials))) {
    return { available: true }
  }
  const trial = `${trials}${randomBytes(3).toString('hex')}`
  const refusal = await tryOut(driver, trial)
  await driver.remove(trial).catch(() => {})
  if (refusal === undefined) return { available: true }
  // Nothing is to stay behind; but programs of an earlier run may still be in namespaces that worked.
  await endIdle(driver)
  return { available: false, ...explainRefusal(refusal) }
}

/** Why a namespace with what places need could not be made, if so. */
async function tryOut(driver: NamespaceDriver, trial: string): Promise<string | undefined> {
  try {
    await driver.add(trial)
    await driver.configure(trial, ['link set lo up', 'link add name br0 up type bridge'])
    await driver.set(trial, { 'net/ipv4/ip_forward': '1' })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

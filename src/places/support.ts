import { randomBytes } from 'node:crypto'
import type { NamespaceDriver } from './namespace-driver.ts'
import { namespacePrefix } from './namespace-names.ts'

export type Support =
  | { readonly available: true }
  | { readonly available: false; readonly cause: string; readonly cure: string }

/** Finds out whether this machine can have places, by making and removing a namespace. */
export async function checkSupport(driver: NamespaceDriver, mark: string): Promise<Support> {
  if (process.platform !== 'linux') {
    return unavailable(
      'Places are Linux network namespaces, and this is another system.',
      'Run Causeway on a Linux machine, real or virtual.',
    )
  }
  if (process.geteuid?.() !== 0) {
    return unavailable(
      'Making network namespaces needs root, and this process runs as an ordinary user.',
      'Start Causeway with sudo.',
    )
  }
  const trial = `${namespacePrefix(mark)}trial-${randomBytes(3).toString('hex')}`
  try {
    await driver.add(trial)
    await driver.configure(trial, ['link set lo up', 'link add name br0 up type bridge'])
    await driver.set(trial, { 'net/ipv4/ip_forward': '1' })
    return { available: true }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return unavailable(
      `No network namespace could be made here (${reason}).`,
      reason.includes('ENOENT')
        ? 'Install iproute2 and util-linux.'
        : 'In a container, start it with --privileged; elsewhere, see that the kernel allows namespaces, bridges and veth.',
    )
  } finally {
    await driver.remove(trial).catch(() => {})
  }
}

const unavailable = (cause: string, cure: string): Support => ({ available: false, cause, cure })

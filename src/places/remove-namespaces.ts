import { inParallel } from './in-parallel.ts'
import type { NamespaceDriver } from './namespace-driver.ts'
import { namespacePrefix } from './namespace-names.ts'

/**
 * Removes every namespace that carries the mark, programs' included, whoever made it; their veths go with them.
 * Programs that still run are left without a network.
 *
 * @throws CommandFailed
 */
export async function removeNamespaces(mark: string, driver: NamespaceDriver): Promise<void> {
  const names = [...(await driver.list(namespacePrefix(mark))).keys()]
  await inParallel(2, names, (name) => driver.remove(name))
  await driver.end()
}

/** Ends what was made for namespaces where there are none. */
export async function endIdle(driver: NamespaceDriver): Promise<void> {
  if ((await driver.list('')).size === 0) await driver.end()
}

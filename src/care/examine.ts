import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { exists } from '../lib/exists.ts'
import { createNamespaceDriver } from '../places/namespace-driver.ts'
import { namespacePrefix } from '../places/namespace-names.ts'
import { checkSupport } from '../places/support.ts'
import type { DataFolder } from '../storage/data-folder.ts'
import { checkTrust } from './check-trust.ts'
import { checkClock, checkDatabase, checkFolder, checkNamespaces } from './data-checks.ts'
import { type Finding, failed, ok } from './finding.ts'
import { checkDisk, checkOpenFiles, checkPort, checkSystem, checkTools } from './machine-checks.ts'

/** Looks at the machine and at a data folder, and changes neither. */
export async function examine(options: {
  readonly folder: DataFolder
  readonly port: number
  /** A server of this folder answers. */
  readonly isRunning: boolean
  readonly searchPath: string
  readonly now: Date
}): Promise<readonly Finding[]> {
  const { folder, port, isRunning, searchPath, now } = options
  const machine = [
    checkSystem(),
    await checkTools(searchPath),
    await checkPlaces(folder.mark),
    await checkOpenFiles(),
    await checkPort(port, isRunning),
    await checkDisk(await nearestExisting(folder.path)),
  ]
  if (!(await exists(folder.database))) {
    return [...machine, ok('data folder', `none at ${folder.path} yet; 'causeway up' makes it`)]
  }
  const namespaces = await createNamespaceDriver(folder.run)
    .list(namespacePrefix(folder.mark))
    .catch(() => new Map())
  return [
    ...machine,
    await checkFolder(folder),
    checkDatabase(folder),
    await checkClock(folder, now),
    await checkTrust(folder.mark, join(folder.authorities, 'host-ca.pem')),
    checkNamespaces([...namespaces.keys()], isRunning),
  ]
}

async function checkPlaces(mark: string): Promise<Finding> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-doctor-'))
  const driver = createNamespaceDriver(folder)
  const support = await checkSupport(driver, mark)
  await driver.end()
  await rm(folder, { recursive: true })
  if (support.available) return ok('places', 'network namespaces can be made')
  return failed('places', support.cause, support.cure)
}

async function nearestExisting(path: string): Promise<string> {
  return (await exists(path)) ? path : nearestExisting(dirname(path))
}

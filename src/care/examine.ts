import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { exists } from '../lib/exists.ts'
import { createNamespaceDriver, type NamespaceDriver } from '../places/namespace-driver.ts'
import { namespacePrefix } from '../places/namespace-names.ts'
import { checkSupport } from '../places/support.ts'
import type { DataFolder } from '../storage/data-folder.ts'
import { checkTrust } from './check-trust.ts'
import {
  checkBlobs,
  checkClock,
  checkDatabase,
  checkFolder,
  checkNamespaces,
} from './data-checks.ts'
import { type Finding, failed, ok } from './finding.ts'
import {
  checkClients,
  checkCompileCache,
  checkDisk,
  checkInodes,
  checkOpenFiles,
  checkPort,
  checkSystem,
  checkTimeService,
  checkTools,
} from './machine-checks.ts'

/** Looks at the machine and at a data folder, and changes neither. */
export async function examine(options: {
  readonly folder: DataFolder
  readonly port: number
  /** A server of this folder answers. */
  readonly isRunning: boolean
  readonly searchPath: string
  /** Of the caller's account. */
  readonly home: string
  readonly now: Date
}): Promise<readonly Finding[]> {
  const { folder, port, isRunning, searchPath, home, now } = options
  const disk = await nearestExisting(folder.path)
  const machine = [
    checkSystem(),
    await checkTools(searchPath),
    await checkPlaces(folder.mark),
    await checkOpenFiles(),
    await checkPort(port, isRunning),
    await checkDisk(disk),
    await checkInodes(disk),
    await checkTimeService(),
    await checkCompileCache(home),
    await checkClients(searchPath),
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
    checkBlobs(folder),
    await checkClock(folder, now),
    await checkTrust(folder.mark, join(folder.authorities, 'host-ca.pem')),
    checkNamespaces([...namespaces.keys()], isRunning),
  ]
}

async function checkPlaces(mark: string): Promise<Finding> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-doctor-'))
  const driver = createNamespaceDriver(folder)
  const support = await checkSupport(driver, mark)
  const refusal = support.available ? await tryVeth(driver, mark) : undefined
  await driver.end()
  await rm(folder, { recursive: true })
  if (refusal !== undefined) {
    return failed(
      'places',
      `programs cannot be connected: ${refusal}`,
      "Load the kernel's module: 'modprobe veth'; some small kernels are built without it.",
    )
  }
  if (support.available) return ok('places', 'network namespaces can be made')
  return failed('places', support.cause, support.cure)
}

/** Why a namespace cannot have what connects a program with its place, if so. */
async function tryVeth(driver: NamespaceDriver, mark: string): Promise<string | undefined> {
  const trial = `${namespacePrefix(mark)}trial-${randomBytes(3).toString('hex')}`
  try {
    await driver.add(trial)
    await driver.configure(trial, ['link add name one type veth peer name two'])
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    await driver.remove(trial).catch(() => {})
  }
}

async function nearestExisting(path: string): Promise<string> {
  return (await exists(path)) ? path : nearestExisting(dirname(path))
}

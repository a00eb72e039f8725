import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { parseCidr, usableAddresses } from '../lib/cidr.ts'
import type { PlaceId } from '../lib/origin.ts'
import { coalesce } from './coalesce.ts'
import { inParallel } from './in-parallel.ts'
import type { NamespaceDriver } from './namespace-driver.ts'
import type { NamespaceEntry } from './namespace-entry.ts'
import { programIdOf, programNamespace } from './namespace-names.ts'
import { SubnetUnknown } from './place-errors.ts'
import { PlaceFull } from './place-full.ts'
import { gatewayOf, type PlacePlan } from './place-plan.ts'
import { type ProgramFiles, removeFilesBut, writeProgramFiles } from './program-files.ts'
import {
  connectProgram,
  disconnectProgram,
  type Standing,
  standingOf,
} from './program-namespace.ts'

/** A program's place to stand: what `enterCommand` needs to run it there. */
export interface Attachment {
  readonly id: string
  readonly place: PlaceId
  /** The subnet's name. */
  readonly subnet: string
  readonly address: string
  readonly namespace: string
  readonly entry: NamespaceEntry
  readonly files: ProgramFiles
  /** Gives the address back as soon as no process uses it any more; does not wait for that. */
  release(): Promise<void>
}

export interface ProgramStatus {
  readonly id: string
  readonly place: PlaceId
  readonly subnet: string
  readonly address: string
  readonly namespace: string
  /** `ending`: given back, or left by a server that is gone; some of its processes still run. */
  readonly state: 'attached' | 'ending'
}

export interface Programs {
  /** Takes over what an earlier process left: programs that still run keep their address, the others are removed. */
  adopt(namespaces: Iterable<string>): Promise<void>
  /** @throws PlaceFull, SubnetUnknown, CommandFailed */
  attach(plan: PlacePlan, subnet: string | undefined): Promise<Attachment>
  list(): readonly ProgramStatus[]
  /** Removes all of them, running or not. */
  close(): Promise<void>
}

interface Program {
  readonly id: string
  readonly namespace: string
  /** Unknown when its place went before it did. */
  readonly standing: Standing | undefined
  state: 'attached' | 'ending'
}

const WATCH_MS = 1000
/** Each costs two commands, one after the other. */
const ADOPTED_AT_ONCE = 4

/** Keeps account of the programs in places. `gone` is called when one has been removed, with its place. */
export function createPrograms(options: {
  readonly driver: NamespaceDriver
  readonly mark: string
  readonly folder: string
  readonly caBundle: string
  readonly log: Logger
  readonly gone: (place: PlaceId | undefined) => void
}): Programs {
  const { driver, mark, folder, caBundle, log, gone } = options
  const programs = new Map<string, Program>()
  const sweeps = coalesce(sweep)
  let timer: NodeJS.Timeout | undefined
  let closed = false

  async function sweep(): Promise<void> {
    if (closed) return
    for (const program of programs.values()) {
      if (program.state === 'ending') await removeIfUnused(program)
    }
    sweepLater()
  }

  function sweepLater(): void {
    clearTimeout(timer)
    if (closed || ![...programs.values()].some(({ state }) => state === 'ending')) return
    timer = setTimeout(() => void sweeps.run(), WATCH_MS).unref()
  }

  async function removeIfUnused(program: Program): Promise<void> {
    try {
      if ((await driver.processes(program.namespace)).length === 0) await remove(program)
    } catch (error) {
      log.warn({ err: error, namespace: program.namespace }, 'a program was not removed')
    }
  }

  async function remove({ id, namespace, standing }: Program): Promise<void> {
    await disconnectProgram(driver, namespace)
    await rm(join(folder, id), { recursive: true, force: true })
    programs.delete(id)
    if (!closed) gone(standing?.place)
  }

  function addressesIn(place: PlaceId): ReadonlySet<string> {
    const standings = [...programs.values()].flatMap(({ standing }) => standing ?? [])
    return new Set(
      standings.filter((standing) => standing.place === place).map(({ address }) => address),
    )
  }

  return {
    async adopt(namespaces) {
      await inParallel(ADOPTED_AT_ONCE, [...namespaces], async (namespace) => {
        const id = programIdOf(mark, namespace)
        if (id === undefined || programs.has(id)) return
        const running = await driver.processes(namespace).catch(() => [])
        if (running.length === 0) {
          await disconnectProgram(driver, namespace)
          return
        }
        const standing = await standingOf(driver, namespace)
        programs.set(id, { id, namespace, standing, state: 'ending' })
        log.info({ namespace, ...standing }, 'a program of an earlier run still uses its address')
      })
      await removeFilesBut(folder, new Set(programs.keys()))
      // They have been looked at just now.
      sweepLater()
    },

    async attach(plan, subnetName) {
      const { place } = plan
      const standing = pickAddress(plan, subnetName, addressesIn(place))
      const id = randomBytes(3).toString('hex')
      const namespace = programNamespace(mark, id)
      const program: Program = { id, namespace, standing, state: 'attached' }
      // From here on the address is taken: nothing was awaited since it was found free.
      programs.set(id, program)
      try {
        const files = await writeProgramFiles(join(folder, id), {
          address: standing.address,
          dnsServers: plan.dnsServers,
        })
        await connectProgram(driver, {
          id,
          namespace,
          router: plan.namespace,
          gateway: standing.gateway,
          standing,
        })
        return {
          id,
          place,
          subnet: standing.subnet,
          address: standing.address,
          namespace,
          entry: await driver.entry(namespace),
          files: { ...files, caBundle },
          async release() {
            program.state = 'ending'
            await sweeps.run()
          },
        }
      } catch (error) {
        programs.delete(id)
        await rm(join(folder, id), { recursive: true, force: true })
        throw error
      }
    },

    list: () =>
      [...programs.values()].flatMap(({ id, namespace, standing, state }) =>
        standing ? { id, namespace, state, ...plain(standing) } : [],
      ),

    async close() {
      closed = true
      clearTimeout(timer)
      await sweeps.idle()
      for (const program of [...programs.values()]) await remove(program)
    },
  }
}

const plain = ({ place, subnet, address }: Standing): Standing => ({ place, subnet, address })

/** The highest address of the subnet that nobody has. @throws PlaceFull, SubnetUnknown */
function pickAddress(
  plan: PlacePlan,
  subnetName: string | undefined,
  programs: ReadonlySet<string>,
): Standing & { readonly gateway: string } {
  const subnet =
    subnetName === undefined
      ? plan.subnets[0]
      : plan.subnets.find(({ name }) => name.toLowerCase() === subnetName.toLowerCase())
  const prefix = subnet && parseCidr(subnet.prefix)
  const gateway = subnet && gatewayOf(subnet)
  if (!subnet || !prefix || !gateway) throw new SubnetUnknown(plan.place, subnetName)
  const taken = new Set(plan.addresses)
  for (const address of usableAddresses(prefix, 'downwards')) {
    if (!taken.has(address) && !programs.has(address)) {
      return { place: plan.place, subnet: subnet.name, address, gateway }
    }
  }
  throw new PlaceFull(subnet.name, subnet.prefix)
}

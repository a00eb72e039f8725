import type { Logger } from 'pino'
import type { NamespaceDriver } from './namespace-driver.ts'
import type { PlaceListeners } from './place-listeners.ts'
import type { PlacePlan } from './place-plan.ts'
import type { PlaceStatus } from './place-status.ts'
import type { ProgramStatus } from './programs.ts'
import { ensureRouter } from './router.ts'

/** One place in the kernel, and how it differs from what it should be. */
export interface RealPlace {
  /**
   * Makes it equal to the plan; what is equal already is not touched. Returns why it could not, if so.
   *
   * @param found.identity of its namespace; undefined where there is none
   */
  become(
    plan: PlacePlan,
    found: {
      readonly identity: number | undefined
      readonly programs: readonly ProgramStatus[]
    },
  ): Promise<string | undefined>
  /** The plan that it last tried to follow. */
  plan(): PlacePlan | undefined
  failure(): string | undefined
  /** Whether a program in it gets answers from its resolver. */
  answersNames(): boolean
  status(programs: readonly ProgramStatus[]): PlaceStatus | readonly []
  /** Closes its listeners; the namespace stays. */
  close(): Promise<void>
}

export function createRealPlace(options: {
  readonly driver: NamespaceDriver
  readonly listeners: PlaceListeners
  readonly log: Logger
}): RealPlace {
  const { driver, listeners, log } = options
  let current: PlacePlan | undefined
  let failure: string | undefined
  let routed: { readonly identity: number; readonly key: string } | undefined

  async function route(
    plan: PlacePlan,
    identity: number | undefined,
    programs: readonly ProgramStatus[],
  ) {
    const occupied = new Set(programs.map(({ address }) => address))
    const wanted = {
      gateways: plan.gateways,
      addresses: plan.addresses.filter((address) => !occupied.has(address)),
    }
    const key = JSON.stringify(wanted)
    if (routed && routed.identity === identity && routed.key === key) return
    routed = undefined
    await ensureRouter(driver, plan.namespace, { exists: identity !== undefined, ...wanted })
    const made = (await driver.list(plan.namespace)).get(plan.namespace)
    if (made !== undefined) routed = { identity: made, key }
  }

  return {
    async become(plan, { identity, programs }) {
      current = plan
      try {
        // Sockets live on in a namespace whose name is gone; nobody can reach them there.
        const isGone = routed !== undefined && routed.identity !== identity
        await listeners.closeAllBut(isGone ? [] : plan.sockets)
        await route(plan, identity, programs)
        await listeners.openMissing(plan.sockets)
        failure = undefined
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error)
        log.error({ err: error, place: plan.place }, 'a place is not in effect')
      }
      return failure
    },

    plan: () => current,
    failure: () => failure,
    answersNames: () => listeners.list().some(({ kind }) => kind === 'dns-udp'),

    status(programs) {
      if (!current) return []
      const { place, name, resourceGroup, namespace, subnets } = current
      const origins = listeners.list().flatMap((plan) => (plan.kind === 'https' ? plan : []))
      return {
        place,
        name,
        ...(resourceGroup !== undefined && { resourceGroup }),
        namespace,
        state: failure === undefined ? 'ready' : 'failed',
        ...(failure !== undefined && { cause: failure }),
        subnets,
        listeners: origins.flatMap(({ where }) =>
          where.via === 'endpoint'
            ? { endpoint: where.endpoint, address: where.address, host: where.host }
            : [],
        ),
        publicAddresses: origins.flatMap(({ where, address }) =>
          where.via === 'public' ? address : [],
        ),
        programs,
      }
    },

    close: () => listeners.closeAllBut([]),
  }
}

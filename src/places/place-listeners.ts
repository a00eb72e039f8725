import type dgram from 'node:dgram'
import type net from 'node:net'
import type { Logger } from 'pino'
import type { PlaceId } from '../lib/origin.ts'
import type { Closable, Listeners } from './listeners.ts'
import { openSockets, SocketsNotOpened } from './open-sockets.ts'
import type { SocketPlan } from './place-plan.ts'

/** The open sockets of one place. */
export interface PlaceListeners {
  /** Closes what is not wanted any more, with its connections; leaves the rest alone. */
  closeAllBut(wanted: readonly SocketPlan[]): Promise<void>
  /** Opens what is wanted and not open. @throws SocketsNotOpened */
  openMissing(wanted: readonly SocketPlan[]): Promise<void>
  list(): readonly SocketPlan[]
}

const ATTEMPTS = 2

export function createPlaceListeners(options: {
  readonly place: PlaceId
  /** What to put before a command so that it runs in the place, now. */
  readonly inside: () => Promise<readonly string[]>
  readonly listeners: Listeners
  readonly log: Logger
}): PlaceListeners {
  const { place, inside, listeners, log } = options
  const open = new Map<string, { readonly plan: SocketPlan; readonly listener: Closable }>()

  function hand(plan: SocketPlan, handle: net.Server | dgram.Socket): void {
    open.set(keyOf(plan), { plan, listener: serve(plan, handle) })
  }

  function serve(plan: SocketPlan, handle: net.Server | dgram.Socket): Closable {
    if (plan.kind === 'https') return listeners.https(handle as net.Server, plan.where)
    if (plan.kind === 'metadata') return listeners.metadata(handle as net.Server, place)
    if (plan.kind === 'dns-tcp') return listeners.dnsTcp(handle as net.Server, place)
    return listeners.dnsUdp(handle as dgram.Socket, place)
  }

  return {
    async closeAllBut(wanted) {
      const keep = new Set(wanted.map(keyOf))
      const gone = [...open].filter(([key]) => !keep.has(key))
      await Promise.all(
        gone.map(async ([key, { plan, listener }]) => {
          open.delete(key)
          try {
            await listener.close()
          } catch (error) {
            log.error({ err: error, place, address: plan.address }, 'a listener did not close')
          }
        }),
      )
    },

    async openMissing(wanted) {
      for (let attempt = 1; ; attempt++) {
        const missing = wanted.filter((plan) => !open.has(keyOf(plan)))
        if (missing.length === 0) return
        try {
          await openSockets(await inside(), missing, hand)
        } catch (error) {
          if (!(error instanceof SocketsNotOpened) || attempt === ATTEMPTS) throw error
          log.warn({ err: error, place }, 'sockets were not opened; trying again')
        }
      }
    },

    list: () => [...open.values()].map(({ plan }) => plan),
  }
}

const keyOf = (plan: SocketPlan): string => JSON.stringify(plan)

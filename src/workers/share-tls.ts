import { randomBytes } from 'node:crypto'
import net from 'node:net'
import type { ServeTls } from '../front/served-at.ts'
import { createTlsServer, normalizedName } from '../front/tls-listener.ts'
import { type Hello, readHello, TO_READ_HELLO } from './read-hello.ts'
import type { HandedConnection } from './worker-contract.ts'

/** Those who serve the registry plane in other processes. */
export interface Takers {
  /** Gives a connection away. `isWanted` says whether it still may be, should the first who gets it die. */
  take(socket: net.Socket, connection: HandedConnection, isWanted: () => boolean): void
  /** Resolves when no connection of this listener is open anywhere. */
  closeListener(listener: number): Promise<void>
}

const TICKET_KEY_BYTES = 48

/**
 * Has others serve the connections whose name leads to the registry plane, and all the rest in this process. Only this
 * process accepts: what waits to be accepted is nobody's, and lives on when one of the others dies.
 */
export function shareTls(takers: Takers): ServeTls {
  let listeners = 0
  return (server, options, at) => {
    const { log, certificateFor, isRegistry } = options
    listeners += 1
    const listener = listeners
    const ticketKeys = randomBytes(TICKET_KEY_BYTES)
    const own = createTlsServer({
      ...options,
      certificateFor: (name) => (isRegistry(name) ? undefined : certificateFor(name)),
    })
    /** Connections that are nobody's yet. */
    const held = new Set<net.Socket>()
    let isOpen = true

    function keep(socket: net.Socket): void {
      held.delete(socket)
      own.accept(socket)
    }

    async function sort(socket: net.Socket, { servername: named, head }: Hello): Promise<void> {
      const servername = named === undefined ? '' : normalizedName(named)
      if (!isRegistry(servername)) return keep(socket)
      const certificate = await certificateFor(servername)
      if (socket.destroyed) return
      if (!certificate) return keep(socket)
      const { pem } = certificate
      const connection = { listener, at, servername, pem, ticketKeys, head }
      takers.take(socket, connection, () => isOpen)
    }

    const accepting = net.createServer(TO_READ_HELLO, (socket) => {
      held.add(socket)
      socket.once('close', () => held.delete(socket))
      socket.on('error', (error) => log.debug({ err: error }, 'connection failed'))
      readHello(socket, (hello) => {
        sort(socket, hello).catch((error) => {
          log.error({ err: error, servername: hello.servername }, 'no certificate')
          socket.destroy()
        })
      })
    })
    accepting.listen(server)

    return {
      async close() {
        isOpen = false
        // Its end is not waited for: Node reports it only when other processes have closed connections of other listeners.
        accepting.close()
        for (const socket of held) socket.resetAndDestroy()
        own.close()
        await takers.closeListener(listener)
      },
    }
  }
}

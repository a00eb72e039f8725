import type { Socket } from 'node:net'

interface Bytes {
  received: number
  sent: number
}

const accounted = new WeakMap<Socket, Bytes>()

/**
 * The bytes that a connection has carried since it was last asked about: heads and bodies of the one request that is over,
 * without a look at its pieces. Within TLS what TLS adds does not count.
 */
export function takeBytes(socket: Socket): Readonly<Bytes> {
  const { bytesRead, bytesWritten } = socket
  const before = accounted.get(socket)
  if (!before) {
    accounted.set(socket, { received: bytesRead, sent: bytesWritten })
    return { received: bytesRead, sent: bytesWritten }
  }
  const taken = { received: bytesRead - before.received, sent: bytesWritten - before.sent }
  before.received = bytesRead
  before.sent = bytesWritten
  return taken
}

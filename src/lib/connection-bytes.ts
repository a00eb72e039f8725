import type { Socket } from 'node:net'

interface Bytes {
  received: number
  sent: number
}

const ACCOUNTED = Symbol('accounted')

/**
 * The bytes that a connection has carried since it was last asked about: heads and bodies of the one request that is over,
 * without a look at its pieces. Within TLS what TLS adds does not count.
 */
export function takeBytes(socket: Socket & { [ACCOUNTED]?: Bytes }): Readonly<Bytes> {
  const { bytesRead, bytesWritten } = socket
  const before = socket[ACCOUNTED]
  if (!before) {
    socket[ACCOUNTED] = { received: bytesRead, sent: bytesWritten }
    return { received: bytesRead, sent: bytesWritten }
  }
  const taken = { received: bytesRead - before.received, sent: bytesWritten - before.sent }
  before.received = bytesRead
  before.sent = bytesWritten
  return taken
}

import type { Server, Socket } from 'node:net'

export interface TcpLimits {
  /** A connection on which nothing arrives for so long is closed. */
  readonly idleMilliseconds?: number
  /** Further connections are refused. */
  readonly connectionsMax?: number
  readonly onError?: (error: Error) => void
  /** Whose connections are taken; everybody's without it. */
  readonly isAdmitted?: (address: string) => boolean
}

const LENGTH_BYTES = 2

/** DNS over TCP (RFC 7766): messages behind a two-byte length, as many on a connection as the client likes. */
export function serveDnsOverTcp(
  server: Server,
  answer: (message: Buffer) => Buffer | undefined,
  { idleMilliseconds = 10_000, connectionsMax = 256, onError, isAdmitted }: TcpLimits = {},
) {
  const open = new Set<Socket>()

  const onConnection = (socket: Socket) => {
    if (isAdmitted?.(socket.remoteAddress ?? '') === false) return void socket.destroy()
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    // A client may vanish at any time; 'close' follows and is all that matters.
    socket.on('error', () => {})
    socket.setTimeout(idleMilliseconds, () => socket.destroy())
    answerMessages(socket, answer)
  }

  server.maxConnections = connectionsMax
  server.on('connection', onConnection)
  if (onError) server.on('error', onError)
  let closed: Promise<void> | undefined
  return {
    close(): Promise<void> {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      })
      return closed
    },
  }
}

function answerMessages(socket: Socket, answer: (message: Buffer) => Buffer | undefined): void {
  let pending: Buffer = Buffer.alloc(0)

  const answerPending = () => {
    while (pending.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + pending.readUInt16BE(0)
      if (pending.length < end) return
      const response = answer(pending.subarray(LENGTH_BYTES, end))
      pending = pending.subarray(end)
      // Bytes that are no query mean that the stream is out of step; nothing sensible can follow.
      if (!response) return void socket.destroy()
      if (!socket.write(framed(response))) {
        // A client that asks and does not read must not fill our memory.
        socket.pause()
        socket.once('drain', () => {
          socket.resume()
          answerPending()
        })
        return
      }
    }
  }

  socket.on('data', (data) => {
    const chunk = typeof data === 'string' ? Buffer.from(data) : data
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    answerPending()
  })
}

function framed(response: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt16BE(response.length)
  return Buffer.concat([length, response])
}

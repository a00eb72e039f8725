import type net from 'node:net'
import { parseClientHello } from '../front/client-hello.ts'

/** What a client said first. */
export interface Hello {
  /** The server that it came for, as it wrote it; undefined where it named none, or does not speak TLS. */
  readonly servername: string | undefined
  /** All bytes that were read. */
  readonly head: Buffer
}

// Ten times what clients send. To look at each of its bytes by itself would take long for more.
const HELLO_BYTES_MAX = 20 * 1024
const HELLO_MS_MAX = 10_000

/** Of servers whose connections are read by `readHello`: more than nothing in the buffer stops the reading. */
export const TO_READ_HELLO = { highWaterMark: 1 } as const

/**
 * Reads as far as the name of the server and not on: the socket, of a server with `TO_READ_HELLO`, has the bytes again,
 * and takes no more out of the connection until somebody reads on. A client sends nothing more before it has an
 * answer. One that says nothing is sent away.
 */
export function readHello(socket: net.Socket, done: (hello: Hello) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  let wanted = 0
  const guard = setTimeout(() => socket.destroy(), HELLO_MS_MAX)
  socket.once('close', () => clearTimeout(guard))
  const take = (chunk: Buffer): void => {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes < wanted) return
    const head = chunks.length === 1 ? chunk : Buffer.concat(chunks)
    const hello = parseClientHello(head)
    if (hello.state === 'incomplete' && hello.bytes < HELLO_BYTES_MAX) {
      wanted = hello.bytes
      return
    }
    clearTimeout(guard)
    socket.off('data', take)
    socket.pause()
    socket.unshift(head)
    done({ head, servername: hello.state === 'read' ? hello.servername : undefined })
  }
  socket.on('data', take)
}

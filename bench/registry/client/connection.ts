import net, { isIP } from 'node:net'
import tls from 'node:tls'
import type { Access } from '../job.ts'

export interface Reply {
  readonly status: number
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Sent one after the other, each when the one before is on its way; without a length in the headers as chunks. */
  readonly parts?: Iterable<Buffer>
}

/** Connections to one registry, each for one request at a time. */
export interface Connections {
  /** Certificates are not checked. @throws where no answer comes, or one without a length */
  ask(method: string, path: string, ask: Ask): Promise<Reply>
}

const END_OF_HEAD = '\r\n\r\n'

/** Opens as many as are used at once, over bare sockets: what a request costs the client is not to be what is measured. */
export function createConnections(access: Access): Connections {
  const { host } = new URL(access.origin)
  const idle: net.Socket[] = []

  return {
    async ask(method, path, ask) {
      const socket = idle.pop() ?? (await open())
      const reply = exchange(socket, method === 'HEAD')
      send(socket, headOf(method, path, { host, ...ask.headers }, ask), ask)
      try {
        const answer = await reply
        if (answer.headers.connection === 'close') socket.destroy()
        else idle.push(socket)
        return answer
      } catch (error) {
        socket.destroy()
        throw new Error(`${method} ${path} failed`, { cause: error })
      }
    },
  }

  async function open(): Promise<net.Socket> {
    const socket = await connect(access)
    socket.once('close', () => {
      const index = idle.indexOf(socket)
      if (index >= 0) idle.splice(index, 1)
    })
    return socket
  }
}

function headOf(method: string, path: string, headers: Record<string, string>, ask: Ask): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  if (headers['content-length'] === undefined) {
    if (ask.parts) lines.push('transfer-encoding: chunked\r\n')
    else if (ask.body) lines.push(`content-length: ${ask.body.length}\r\n`)
  }
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

function send(socket: net.Socket, head: string, { headers, body, parts }: Ask): void {
  socket.cork()
  socket.write(head, 'latin1')
  if (body) socket.write(body)
  if (parts) sendParts(socket, parts, headers?.['content-length'] === undefined)
  socket.uncork()
}

function sendParts(
  socket: net.Socket,
  parts: Iterable<Buffer>,
  // Whether each is a chunk.
  isChunked: boolean,
): void {
  const iterator = parts[Symbol.iterator]()
  // As many together as the connection has room for, as Node's own client sends them.
  const go = () => {
    let hasRoom = true
    socket.cork()
    while (hasRoom) {
      const next = iterator.next()
      if (next.done) break
      if (isChunked) socket.write(`${next.value.length.toString(16)}\r\n`, 'latin1')
      hasRoom = socket.write(next.value)
      if (isChunked) hasRoom = socket.write('\r\n', 'latin1')
    }
    if (!hasRoom) socket.once('drain', go)
    else if (isChunked) socket.write('0\r\n\r\n', 'latin1')
    socket.uncork()
  }
  go()
}

/** The next answer on a connection. */
function exchange(socket: net.Socket, isHead: boolean): Promise<Reply> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0)
    let head: { readonly status: number; readonly headers: Reply['headers'] } | undefined
    let length = 0
    const end = (settle: () => void) => {
      socket.off('data', take)
      socket.off('error', fail)
      socket.off('close', closed)
      settle()
    }
    const fail = (error: unknown) => end(() => reject(error))
    const closed = () => fail(new Error('the server has closed the connection'))
    const take = (bytes: Buffer) => {
      received = received.length === 0 ? bytes : Buffer.concat([received, bytes])
      if (!head) {
        const at = received.indexOf(END_OF_HEAD)
        if (at < 0) return
        head = parseHead(received.toString('latin1', 0, at))
        length = isHead ? 0 : Number(head.headers['content-length'] ?? Number.NaN)
        if (head.status === 204) length = 0
        if (Number.isNaN(length)) return fail(new Error('an answer without a length'))
        received = received.subarray(at + END_OF_HEAD.length)
      }
      if (received.length < length) return
      const { status, headers } = head
      end(() => resolve({ status, headers, body: received }))
    }
    socket.on('data', take)
    socket.once('error', fail)
    socket.once('close', closed)
  })
}

function parseHead(text: string): { status: number; headers: Record<string, string> } {
  const [first = '', ...lines] = text.split('\r\n')
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim()
  }
  return { status: Number(first.split(' ')[1]), headers }
}

/** A bare connection, that has been made. */
export function connect({ origin }: Access): Promise<net.Socket> {
  const { protocol, hostname, port } = new URL(origin)
  const isSecure = protocol === 'https:'
  const at = { host: hostname, port: Number(port || (isSecure ? 443 : 80)) }
  const socket = isSecure
    ? tls.connect({ ...at, ...namedBy(hostname), rejectUnauthorized: false })
    : net.connect(at)
  socket.setNoDelay(true)
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

/** A client that goes to an address names no server. */
const namedBy = (hostname: string): { readonly servername?: string } =>
  isIP(hostname) ? {} : { servername: hostname }

import { rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import net from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { takeBytes } from '../lib/connection-bytes.ts'
import { endAnswer } from '../lib/end-answer.ts'
import { http } from '../lib/http.ts'
import { type Origin, originOf, setOrigin } from '../lib/origin.ts'
import { OciError } from '../registry/http/oci-error.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** The other workers of a server, each behind a socket that only the server's user can reach. */
export interface Peers {
  /** Has the worker of another slot answer the request; waits for one that is being replaced. */
  forward(request: IncomingMessage, response: ServerResponse, slot: number): void
  close(): Promise<void>
}

/** Where the request came from, as JSON. What a client writes there is overwritten. */
const ORIGIN = 'causeway-origin'
/** Of one connection, and not of what is forwarded. Bodies are framed anew, and 100 Continue has been sent. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding', 'expect', 'upgrade']
const ANSWER_MS_MAX = 5000
const AGAIN_MS = 20

/** Serves what other workers forward to this `slot` by `handle`, and forwards to them. */
export async function openPeers(options: {
  readonly folder: string
  readonly slot: number
  readonly handle: Handler
  readonly log: Pick<Logger, 'error'>
}): Promise<Peers> {
  const { folder, slot: own, handle, log } = options
  const socketOf = (slot: number): string => join(folder, `w${slot}.sock`)

  const server = http.createServer({ requestTimeout: 0 }, (request, response) => {
    const { [ORIGIN]: origin, ...headers } = request.headers
    request.headers = headers
    setOrigin(request, JSON.parse(String(origin)) as Origin)
    handle(request, response)
  })
  // Whoever forwards has ended TLS; links to this registry are https all the same.
  server.on('connection', (socket) => Object.assign(socket, { encrypted: true }))
  await rm(socketOf(own), { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketOf(own), resolve)
  })

  /** Sends the request on; the answer's head has come. */
  async function ask(request: IncomingMessage, response: ServerResponse, slot: number) {
    const connection = await connect(socketOf(slot))
    const forwarded = http.request({
      createConnection: () => connection,
      method: request.method,
      path: request.url,
      headers: {
        ...withoutHops(request.headers),
        [ORIGIN]: JSON.stringify(originOf(request)),
        // Closed by the other side right after its answer, the end of the body would fail before the answer is read.
        connection: 'keep-alive',
      },
    })
    response.once('close', () => {
      forwarded.destroy()
      connection.destroy()
    })
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      forwarded.once('response', resolve)
      forwarded.once('error', reject)
    })
    // An answer may come before all of the body has gone. The rest is not wanted then; but it stays to be read, or no other
    // request would come by the client's connection.
    const stop = () => void request.unpipe(forwarded)
    forwarded.once('response', stop).once('error', stop)
    if (hasBody(request)) request.pipe(forwarded)
    else forwarded.end()
    return answered
  }

  async function relay(request: IncomingMessage, response: ServerResponse, slot: number) {
    for (const deadline = Date.now() + ANSWER_MS_MAX; ; await delay(AGAIN_MS)) {
      try {
        const answer = await ask(request, response, slot)
        // Of an upload it is short.
        const body = await buffer(answer)
        response.writeHead(answer.statusCode ?? 500, withoutHops(answer.headers))
        return endAnswer(response, body)
      } catch (error) {
        // It may have died just now. What has a body cannot be sent a second time; its client can.
        const isLost = response.headersSent || response.destroyed || hasBody(request)
        if (isLost || Date.now() > deadline) throw error
      }
    }
  }

  return {
    forward(request, response, slot) {
      // Who answers counts them; what comes next on this connection must not.
      response.once('close', () => takeBytes(request.socket))
      relay(request, response, slot).catch((error) => {
        if (response.destroyed || request.socket.destroyed) return
        log.error({ err: error, slot }, 'a request was not forwarded')
        if (response.headersSent) return void response.destroy()
        const refusal = new OciError('UNAVAILABLE')
        response.writeHead(refusal.status, {
          'Content-Type': 'application/json; charset=utf-8',
          'Retry-After': '1',
          Connection: 'close',
        })
        endAnswer(response, JSON.stringify(refusal))
      })
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

function withoutHops(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.includes(name)))
}

async function connect(path: string): Promise<net.Socket> {
  for (const deadline = Date.now() + ANSWER_MS_MAX; ; await delay(AGAIN_MS)) {
    const socket = net.connect(path)
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve).once('error', reject)
      })
      socket.removeAllListeners('error')
      return socket
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
  }
}

/** Runs in a place and does there what it is told, a line of JSON for each order and each outcome. */
import { lookup } from 'node:dns/promises'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { createInterface } from 'node:readline'
import { buffer } from 'node:stream/consumers'
import type { Order, Outcome } from './place-agent.ts'

for await (const line of createInterface({ input: process.stdin })) {
  const { id, order } = JSON.parse(line) as { id: number; order: Order }
  carryOut(order)
    .catch((error: NodeJS.ErrnoException): Outcome => ({ failed: error.code ?? error.message }))
    .then((outcome) => process.stdout.write(`${JSON.stringify({ id, outcome })}\n`))
}

function carryOut(order: Order): Promise<Outcome> {
  if (order.kind === 'request') return request(order)
  if (order.kind === 'connect') return connect(order.address, order.port)
  if (order.kind === 'resolve') {
    return lookup(order.name, { all: true, family: 4 }).then((found) => ({
      addresses: found.map(({ address }) => address),
    }))
  }
  return Promise.resolve({ variables: process.env })
}

function request(order: Extract<Order, { kind: 'request' }>): Promise<Outcome> {
  const { url, method, headers, body } = order
  const send = url.startsWith('http:') ? http.request : https.request
  return new Promise((resolve, reject) => {
    const outgoing = send(url, { method, headers, agent: false, timeout: 20_000 }, (answer) => {
      buffer(answer).then(
        (content) =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            body: content.toString('base64'),
          }),
        reject,
      )
    })
    outgoing.once('timeout', () => outgoing.destroy(new Error('no answer in 20 s')))
    outgoing.once('error', reject)
    outgoing.end(body === undefined ? undefined : Buffer.from(body, 'base64'))
  })
}

function connect(address: string, port: number): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: address, port, timeout: 3000 }, () => {
      socket.destroy()
      resolve({ connected: true })
    })
    socket.once('timeout', () => socket.destroy(new Error('timeout')))
    socket.once('error', reject)
  })
}

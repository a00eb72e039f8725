import { type Access, type Outcome, percentile } from '../job.ts'
import { connect } from './connection.ts'

const END_OF_HEAD = '\r\n\r\n'

/**
 * HEAD requests one after the other on so many connections, over bare sockets: what counts requests of other methods
 * well (wrk) waits for the body of a HEAD. @throws where an answer is not a 200
 */
export async function headLoad(
  access: Access,
  path: string,
  authorization: string | undefined,
  options: { readonly concurrency: number; readonly seconds: number },
): Promise<Outcome> {
  const { host } = new URL(access.origin)
  const head = [
    `HEAD ${path} HTTP/1.1`,
    `Host: ${host}`,
    ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
  ]
  const request = Buffer.from(`${head.join('\r\n')}${END_OF_HEAD}`)
  const times: number[] = []
  const began = performance.now()
  const until = began + options.seconds * 1000

  async function ask(): Promise<void> {
    const socket = await connect(access)
    await new Promise<void>((resolve, reject) => {
      let sentAt = 0
      let received = ''
      const next = () => {
        sentAt = performance.now()
        received = ''
        socket.write(request)
      }
      socket.on('data', (bytes: Buffer) => {
        received += bytes.toString('latin1')
        if (!received.endsWith(END_OF_HEAD)) return
        const now = performance.now()
        times.push(now - sentAt)
        if (!received.startsWith('HTTP/1.1 200')) reject(new Error(`HEAD ${path}: ${received}`))
        else if (now >= until) resolve()
        else next()
      })
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('the server has closed a connection')))
      next()
    }).finally(() => socket.destroy())
  }

  await Promise.all(Array.from({ length: options.concurrency }, ask))
  const seconds = (performance.now() - began) / 1000
  return {
    units: times.length,
    seconds,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
  }
}

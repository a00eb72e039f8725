import { connect } from 'node:net'

/** A request that no client library would send. Texts are latin1: a character for each byte. */
export interface RawRequest {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

export interface RawAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
}

export function formatRequest({ method, target, headers, body }: RawRequest): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `${method} ${target} HTTP/1.1\r\n${lines}\r\n${body}`
}

/** A connection where the server neither answers nor ends. */
const PATIENCE_MS = 300
const HANGS_AFTER_MS = 20_000

/**
 * Sends bytes on a connection of their own. Undefined where there is no whole answer to them: what is no whole request
 * may wait for its rest, and is given up after a moment.
 *
 * @throws Error where a whole request is not answered
 */
export function exchangeRaw(
  port: number,
  text: string,
  isWhole: boolean,
): Promise<RawAnswer | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    const settle = (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(parseAnswer(received, text.startsWith('HEAD ')))
    }
    const timer = setTimeout(
      () => {
        if (!isWhole) return settle()
        socket.destroy()
        reject(new Error(`no answer to ${JSON.stringify(text.slice(0, 2000))}`))
      },
      isWhole ? HANGS_AFTER_MS : PATIENCE_MS,
    )
    socket.setEncoding('latin1')
    socket.on('data', (part: string) => {
      received += part
      if (parseAnswer(received, text.startsWith('HEAD '))) settle()
    })
    // A server that has refused what it reads may close before it has read it all.
    socket.on('error', settle)
    socket.on('close', settle)
    socket.write(text, 'latin1')
  })
}

/** The first answer in the text that is no interim one; undefined while it is not whole. */
function parseAnswer(text: string, isHead: boolean): RawAnswer | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const head = text.slice(0, end)
  const rest = text.slice(end + 4)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1])
  if (status < 200) return parseAnswer(rest, isHead)
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0)
  const hasBody = !isHead && status !== 204 && status !== 304
  if (hasBody && rest.length < length) return undefined
  return { status, head, body: rest }
}

import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { http } from '../lib/http.ts'
import { CommandError } from './command-error.ts'

/** Speaks to the server of one data folder over its operator's socket. */
export interface OperatorClient {
  /** @throws CommandError with the server's words; NotRunning when there is no server. */
  call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T>
  /** The first line of an answer that stays open until `close`. */
  hold<T>(path: string, body: unknown): Promise<{ first: T; close(): void }>
}

export class NotRunning extends CommandError {
  constructor(dataFolder: string) {
    super(`No server runs on ${dataFolder}; 'causeway up' starts one.`)
  }
}

const ENDED = 'The server ended before it answered.'

export function createOperatorClient(socket: string, dataFolder: string): OperatorClient {
  const send = (method: string, path: string, body: unknown): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const content = body === undefined ? undefined : JSON.stringify(body)
      const outgoing = http.request(
        {
          socketPath: socket,
          method,
          path,
          headers: content === undefined ? {} : { 'content-type': 'application/json' },
        },
        resolve,
      )
      outgoing.once('error', (error: NodeJS.ErrnoException) => {
        const absent = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
        if (absent) return reject(new NotRunning(dataFolder))
        if (error.code === 'ECONNRESET') return reject(new CommandError(ENDED))
        if (error.code !== 'EACCES') return reject(error)
        reject(
          new CommandError(
            `The server on ${dataFolder} belongs to another user: call as its owner.`,
          ),
        )
      })
      outgoing.end(content)
    })

  return {
    async call<T>(method: string, path: string, body?: unknown) {
      const answer = await send(method, path, body)
      const content = await text(answer)
      if ((answer.statusCode ?? 500) >= 400) throw refusal(content)
      return (content === '' ? undefined : JSON.parse(content)) as T
    },
    async hold<T>(path: string, body: unknown) {
      const answer = await send('POST', path, body)
      if ((answer.statusCode ?? 500) >= 400) throw refusal(await text(answer))
      return { first: (await firstLine(answer)) as T, close: () => answer.destroy() }
    },
  }
}

function refusal(content: string): CommandError {
  const { message } = JSON.parse(content) as { message?: string }
  return new CommandError(message ?? 'The server refused without a reason.')
}

function firstLine(answer: IncomingMessage): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let received = ''
    answer.setEncoding('utf8')
    answer.on('data', (chunk: string) => {
      received += chunk
      const end = received.indexOf('\n')
      if (end >= 0) resolve(JSON.parse(received.slice(0, end)))
    })
    answer.once('close', () => reject(new CommandError(ENDED)))
    // Destroying the answer is how the caller says that it is done.
    answer.once('error', () => {})
  })
}

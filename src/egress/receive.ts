import type { IncomingMessage } from 'node:http'
import { EgressError } from '../lib/egress-error.ts'

export interface ReceiveOptions {
  readonly host: string
  readonly bytesMax: number
  readonly idleSeconds: number
  readonly signal: AbortSignal
}

/** The bytes of an answer as they come, within the caller's bounds; whoever stops early ends the connection. @throws EgressError */
export async function* receive(
  response: IncomingMessage,
  { host, bytesMax, idleSeconds, signal }: ReceiveOptions,
): AsyncGenerator<Uint8Array> {
  const abort = () => response.destroy(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  // Only while bytes are waited for: a reader that is slow itself is no idle server.
  const awaitNext = (chunks: AsyncIterator<Buffer>) => {
    const tooSlow = () => response.destroy(new EgressError('timeout', host))
    const timer = setTimeout(tooSlow, idleSeconds * 1000)
    return chunks.next().finally(() => clearTimeout(timer))
  }
  try {
    if (Number(response.headers['content-length'] ?? 0) > bytesMax) {
      throw new EgressError('too-large', host)
    }
    let received = 0
    const chunks: AsyncIterator<Buffer> = response[Symbol.asyncIterator]()
    for (let next = await awaitNext(chunks); !next.done; next = await awaitNext(chunks)) {
      received += next.value.length
      if (received > bytesMax) throw new EgressError('too-large', host)
      yield next.value
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw error instanceof EgressError
      ? error
      : new EgressError('broken-off', host, { cause: error })
  } finally {
    signal.removeEventListener('abort', abort)
    response.destroy()
  }
}

import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream'

/** So much may wait to be taken before the client is held back. */
const WAITING_BYTES_MAX = 1 << 20

/**
 * The body as it comes, in the pieces that it came in: a stream's own iterator joins what waits, which is a copy of
 * everything. Ending early leaves the connection whole, so that the refusal can still be sent.
 *
 * @throws where the client goes before its end
 */
export async function* bodyOf(request: IncomingMessage): AsyncGenerator<Buffer, void> {
  let waiting: Buffer[] = []
  let bytes = 0
  let isOver = false
  let failure: Error | null | undefined
  let wake = () => {}
  const take = (piece: Buffer) => {
    waiting.push(piece)
    bytes += piece.length
    if (bytes >= WAITING_BYTES_MAX) request.pause()
    wake()
  }
  const stop = finished(request, { writable: false }, (error) => {
    isOver = true
    failure = error
    wake()
  })
  request.on('data', take)
  try {
    for (;;) {
      const pieces = waiting
      waiting = []
      bytes = 0
      for (const piece of pieces) yield piece
      if (waiting.length > 0) continue
      if (failure) throw failure
      if (isOver) return
      request.resume()
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  } finally {
    request.off('data', take)
    if (!isOver) request.pause()
    stop()
  }
}

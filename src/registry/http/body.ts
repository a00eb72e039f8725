import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream'

/** So much may wait to be taken before the client is held back. */
const WAITING_BYTES_MAX = 1 << 20

/**
 * The body in the pieces that it came in, all that have come at once together: a stream's own iterator joins what waits,
 * which is a copy of everything. Ending early leaves the connection whole, so that the refusal can still be sent.
 *
 * @throws where the client goes before its end
 */
export async function* piecesOf(request: IncomingMessage): AsyncGenerator<readonly Buffer[], void> {
  let waiting: Buffer[] = []
  let bytes = 0
  let isOver = false
  let failure: Error | null | undefined
  let isWaking = false
  let wake = () => {}
  // When the connection has been read for now: over TLS each piece comes by itself.
  const wakeSoon = () => {
    if (isWaking) return
    isWaking = true
    setImmediate(() => {
      isWaking = false
      wake()
    })
  }
  const take = (piece: Buffer) => {
    waiting.push(piece)
    bytes += piece.length
    if (bytes >= WAITING_BYTES_MAX) request.pause()
    wakeSoon()
  }
  const stop = finished(request, { writable: false }, (error) => {
    isOver = true
    failure = error
    wakeSoon()
  })
  request.on('data', take)
  try {
    for (;;) {
      if (waiting.length > 0) {
        const pieces = waiting
        waiting = []
        bytes = 0
        yield pieces
        continue
      }
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

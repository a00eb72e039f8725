import type { ServerResponse } from 'node:http'
import { finished } from 'node:stream'

/**
 * Sends the whole of an answer at once, and ends it when the request's body has come too, wanted or not. With a body still
 * on its way a connection can be neither used again nor closed: what follows would be read as body, and a reset would
 * overtake the answer.
 */
export function endAnswer(
  response: ServerResponse,
  body: Uint8Array | string = '',
  encoding: BufferEncoding = 'utf8',
): void {
  const { req: request } = response
  if (request.complete) {
    response.end(body, encoding)
    return
  }
  response.write(body, encoding)
  finished(request, () => response.end())
  request.resume()
}

/** What a client asks for before anything is encrypted; `unreadable` for what is not the beginning of TLS. */
export type ClientHello =
  /** There is nothing to be seen before there are so many bytes. */
  | { readonly state: 'incomplete'; readonly bytes: number }
  | { readonly state: 'unreadable' }
  | { readonly state: 'read'; readonly servername: string | undefined }

const HANDSHAKE_RECORD = 22
const CLIENT_HELLO = 1
const SERVER_NAME_EXTENSION = 0
const HOST_NAME = 0
const RECORD_HEADER_BYTES = 5
const MESSAGE_HEADER_BYTES = 4
// Of the protocol: what is longer is not TLS, and what has so many parts is not meant to be read.
const RECORD_BYTES_MAX = 1 << 14
const MESSAGE_BYTES_MAX = 1 << 16

/**
 * Reads the name of the server that a client came for out of the first bytes of a connection.
 * https://www.rfc-editor.org/rfc/rfc8446#section-4.1.2, https://www.rfc-editor.org/rfc/rfc6066#section-3
 */
export function parseClientHello(bytes: Buffer): ClientHello {
  const message = messageOf(bytes)
  if (message === undefined) return { state: 'unreadable' }
  if (typeof message === 'number') return { state: 'incomplete', bytes: message }
  try {
    return { state: 'read', servername: serverNameOf(message) }
  } catch (error) {
    if (error instanceof RangeError) return { state: 'unreadable' }
    throw error
  }
}

/**
 * The body of the first message, which may stretch over records; of one that is not whole, how many bytes there must be
 * before more of it can be seen; undefined for what is none.
 */
function messageOf(bytes: Buffer): Buffer | number | undefined {
  // What is certainly no TLS need not be waited for.
  if (bytes.length > 0 && bytes[0] !== HANDSHAKE_RECORD) return undefined
  const parts: Buffer[] = []
  let length = 0
  let at = 0
  while (at + RECORD_HEADER_BYTES <= bytes.length) {
    const size = bytes.readUInt16BE(at + 3)
    const isHandshake = bytes[at] === HANDSHAKE_RECORD && bytes[at + 1] === 3
    if (!isHandshake || size === 0 || size > RECORD_BYTES_MAX) return undefined
    const part = bytes.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + size)
    parts.push(part)
    length += part.length
    at += RECORD_HEADER_BYTES + size
    if (at > bytes.length) return at
    if (length < MESSAGE_HEADER_BYTES) continue
    const message = Buffer.concat(parts)
    const body = message.readUIntBE(1, 3)
    if (message[0] !== CLIENT_HELLO || body > MESSAGE_BYTES_MAX) return undefined
    const end = MESSAGE_HEADER_BYTES + body
    if (length >= end) return message.subarray(MESSAGE_HEADER_BYTES, end)
  }
  return at + RECORD_HEADER_BYTES
}

/** @throws RangeError where a length leads out of the message */
function serverNameOf(message: Buffer): string | undefined {
  // Version and random.
  let at = 2 + 32
  at += 1 + message.readUInt8(at)
  at += 2 + message.readUInt16BE(at)
  at += 1 + message.readUInt8(at)
  if (at === message.length) return undefined
  const end = at + 2 + message.readUInt16BE(at)
  at += 2
  while (at < end) {
    const [type, size] = [message.readUInt16BE(at), message.readUInt16BE(at + 2)]
    at += 4
    if (type === SERVER_NAME_EXTENSION) return hostNameOf(message.subarray(at, at + size))
    at += size
  }
  return undefined
}

function hostNameOf(list: Buffer): string | undefined {
  for (let at = 2; at < list.length; ) {
    const [type, size] = [list.readUInt8(at), list.readUInt16BE(at + 1)]
    at += 3
    if (type === HOST_NAME) return list.subarray(at, at + size).toString('latin1')
    at += size
  }
  return undefined
}

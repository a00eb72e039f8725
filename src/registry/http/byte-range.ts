/** Bytes from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * What a `Range` header asks of so many bytes. Undefined for all of them: no header, several ranges or one that is not
 * understood. One that ends before it starts is refused, not ignored: the client did mean a part.
 * https://www.rfc-editor.org/rfc/rfc9110#section-14.2 allows both.
 */
export function parseRange(
  header: string | undefined,
  size: number,
): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '')
  if (!match) return undefined
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return undefined
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size }
  }
  const start = Number(first)
  const endsBefore = last !== '' && Number(last) < start
  if (start >= size || endsBefore) return 'unsatisfiable'
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) }
}

/** What a `Content-Range` of an upload says: `0-1023`, as the distribution specification writes it, or `bytes 0-1023/*`. */
export function parseContentRange(header: string): ByteRange | undefined {
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(header.trim())
  if (!match) return undefined
  const [start, last] = [Number(match[1]), Number(match[2])]
  return last < start ? undefined : { start, end: last + 1 }
}

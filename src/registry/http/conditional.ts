/**
 * Whether a client that sent `If-None-Match` has this very representation already.
 * https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2
 *
 * @param etag with its quotes
 */
export function isNotModified(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  const listed = header.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return listed.includes('*') || listed.includes(etag)
}

import pino, { type Logger } from 'pino'

// What cannot be written waits here for room; what comes when this is full is lost.
const WAITING_BYTES_MAX = 1024 * 1024

/** Opens the server's log, in which nothing below `level` is written. That it cannot be written, as on a full disk, is no reason to end. */
export function openLogFile(file: string, level: string): { readonly log: Logger; close(): void } {
  const stream = pino.destination({
    dest: file,
    mkdir: true,
    sync: true,
    maxLength: WAITING_BYTES_MAX,
  })
  stream.on('error', () => {})
  return { log: pino({ base: null, level }, stream), close: () => stream.end() }
}

import pino, { type Logger } from 'pino'

// What cannot be written waits here for room; what comes when this is full is lost.
const WAITING_BYTES_MAX = 1024 * 1024

export interface LogFile {
  readonly log: Logger
  /**
   * Opens the file anew under its name, after somebody gave it another one: what was logged before is in that one, what
   * is logged from now on in this one. @throws where it cannot be opened; it goes on in the old one then.
   */
  reopen(): void
  close(): void
}

/**
 * Opens the server's log, in which nothing below `level` is written. That it cannot be written, as on a full disk, is no
 * reason to end.
 */
export function openLogFile(file: string, level: string): LogFile {
  const stream = pino.destination({
    dest: file,
    mkdir: true,
    mode: 0o600,
    sync: true,
    maxLength: WAITING_BYTES_MAX,
  })
  stream.on('error', () => {})
  return {
    log: pino({ base: null, level }, stream),
    reopen: () => stream.reopen(),
    close: () => stream.end(),
  }
}

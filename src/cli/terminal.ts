import { stderr, stdout } from 'node:process'
import { styleText } from 'node:util'

/** A reader that has gone, as `head` does, is no failure: what is printed after that is lost. */
export function outliveReader(): void {
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // EIO: the terminal was closed.
      if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
    })
  }
}

/** Everything that the command line says passes here: results to stdout, the rest to stderr. */
export const print = (line = ''): void => void stdout.write(`${line}\n`)
export const printError = (line: string): void => void stderr.write(`${line}\n`)
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2))

export const strong = (text: string): string => styleText('bold', text, { stream: stdout })
export const good = (text: string): string => styleText('green', text, { stream: stdout })
export const bad = (text: string): string => styleText('red', text, { stream: stdout })
export const faint = (text: string): string => styleText('dim', text, { stream: stdout })

/** Columns by two blanks, the first row as heading. Cells hold no styling. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows]
  const widths = heading.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [strong(line(heading)), ...rows.map(line)].join('\n')
}

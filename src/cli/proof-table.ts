import { stdout } from 'node:process'
import type { Proof, Standpoint } from '../rehearsal/prove.ts'
import { bad, faint, good, strong } from './terminal.ts'

type Paint = (text: string) => string
interface Cell {
  readonly lines: readonly string[]
  readonly paint?: Paint
}

const LABEL_WIDTH = 9
const COLUMN_WIDTH_MIN = 34
// As wide as the longest refusal: what reads a file or a pipe wants whole sentences.
const UNWRAPPED_WIDTH = 240

/** What a client inside and one outside found, side by side; wrapped to the terminal, or not at all where there is none. */
export function proofTable(proof: Proof, terminalWidth = stdout.columns): string {
  const room = Math.floor(((terminalWidth ?? UNWRAPPED_WIDTH) - LABEL_WIDTH - 6) / 2)
  const widthMax = Math.max(COLUMN_WIDTH_MIN, room)
  const columns = [proof.inside, proof.outside]
  const rows: readonly (readonly [string, readonly Cell[]])[] = [
    ['', [heading('inside'), heading('outside')]],
    ['client', columns.map((column) => cell(widthMax, standing(column)))],
    ['name', columns.map((column) => cell(widthMax, ...chainOf(column)))],
    ['address', columns.map((column) => addressOf(column))],
    ['pull', columns.map((column) => pullOf(column, widthMax))],
  ]
  const width = Math.max(...rows.flatMap(([, cells]) => cells.flatMap(longestLine)))
  const rule = faint(
    `${'─'.repeat(LABEL_WIDTH)}┼${`${'─'.repeat(width + 2)}┼`.repeat(2)}`.slice(0, -1),
  )
  return rows.map(([label, cells]) => drawRow(label, cells, width)).join(`\n${rule}\n`)
}

function drawRow(label: string, cells: readonly Cell[], width: number): string {
  const height = Math.max(...cells.map((entry) => entry.lines.length))
  const bar = faint('│')
  return Array.from({ length: height }, (_, line) => {
    const columns = cells.map(({ lines, paint = same }) => {
      const content = lines[line] ?? ''
      return ` ${paint(content)}${' '.repeat(Math.max(0, width - content.length))} `
    })
    const head = strong((line === 0 ? label : '').padEnd(LABEL_WIDTH))
    return `${head}${bar}${columns.join(bar)}`.trimEnd()
  }).join('\n')
}

const longestLine = ({ lines }: Cell): number => Math.max(...lines.map((line) => line.length))

const same: Paint = (text) => text
const heading = (text: string): Cell => ({ lines: [text], paint: strong })
const cell = (width: number, ...texts: readonly string[]): Cell => ({
  lines: texts.flatMap((text) => wrap(text, width)),
})

const standing = ({ placeName, clientAddress }: Standpoint): string =>
  `${placeName === 'internet' ? 'the internet' : placeName}, ${clientAddress}`

function chainOf({ trial }: Standpoint): readonly string[] {
  const [first] = trial.chain
  if (!first) return ['does not resolve']
  return [
    first.name,
    ...trial.chain.map((record) => `${record.type === 'CNAME' ? '→' : '='} ${record.data}`),
  ]
}

function addressOf({ trial }: Standpoint): Cell {
  if (!trial.address) return { lines: ['none'], paint: bad }
  const kind = /^(10|172\.(1[6-9]|2\d|3[01])|192\.168)\./.test(trial.address) ? 'private' : 'public'
  return { lines: [`${trial.address} (${kind})`], paint: strong }
}

function pullOf({ trial: { pull } }: Standpoint, width: number): Cell {
  if (!pull.allowed) {
    return { lines: ['✗ refused', ...wrap(pull.words, width)], paint: bad }
  }
  const facts = [`✓ allowed, ${pull.bytes} bytes from ${pull.from}`, pull.digest]
  return { lines: facts.flatMap((fact) => wrap(fact, width)), paint: good }
}

/** Breaks at blanks, and within a word that alone is too long. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
    while (line.length > width) {
      lines.push(line.slice(0, width))
      line = line.slice(width)
    }
  }
  return [...lines, line]
}

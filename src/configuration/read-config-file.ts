import { readFileSync } from 'node:fs'
import { isNode, LineCounter, parseDocument } from 'yaml'
import { checkCoherence } from './check-coherence.ts'
import { checkShape } from './check-shape.ts'
import type { Complaint, KeyPath } from './complaint.ts'
import { ConfigError } from './config-error.ts'
import { type ConfigFile, configFile } from './config-file.ts'

/** Reads a configuration file, YAML or JSON. @throws ConfigError with the line of all that is wrong in it. */
export function readConfigFile(file: string): ConfigFile {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConfigError(
      `The configuration file ${file} cannot be read (${reason}): give --config or CAUSEWAY_CONFIG the path of one that can.`,
    )
  }
  return parseConfigFile(file, text)
}

/** @throws ConfigError */
export function parseConfigFile(file: string, text: string): ConfigFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const lineOf = (position: number): number => lines.linePos(position).line
  const [broken] = document.errors
  if (broken) {
    throw new ConfigError(`${file}:${lineOf(broken.pos[0])}: this is not YAML: ${broken.message}`)
  }

  /** The line of a key, or of the nearest thing above it that stands in the file. */
  function lineAt(path: KeyPath): number {
    for (let length = path.length; length > 0; length--) {
      const position = positionOf(document, path.slice(0, length))
      if (position !== undefined) return lineOf(position)
    }
    return 1
  }
  const refuse = (complaints: readonly Complaint[]): void => {
    if (complaints.length === 0) return
    const told = complaints.map(({ at, message }) => `${file}:${lineAt(at)}: ${message}`)
    throw new ConfigError(told.join('\n'))
  }

  const content = contentOf(document, file)
  refuse(checkShape(configFile, content))
  // What passed the check is what the schema says.
  const parsed = content as ConfigFile
  refuse(checkCoherence(parsed))
  return parsed
}

function contentOf(document: ReturnType<typeof parseDocument>, file: string): unknown {
  if (document.contents === null) return {}
  try {
    return document.toJS()
  } catch (error) {
    // An alias of nothing, or more of them than any real file has.
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConfigError(`${file}: this is not usable YAML: ${reason}`)
  }
}

/** Where a key or an item begins. */
function positionOf(document: ReturnType<typeof parseDocument>, path: KeyPath): number | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  const last = path.at(-1)
  if (parent && typeof parent === 'object' && 'items' in parent && typeof last === 'string') {
    for (const item of parent.items as readonly unknown[]) {
      const key = item && typeof item === 'object' && 'key' in item ? item.key : undefined
      if (isNode(key) && String(key) === last) return key.range?.[0]
    }
  }
  const node = document.getIn(path, true)
  return isNode(node) ? node.range?.[0] : undefined
}

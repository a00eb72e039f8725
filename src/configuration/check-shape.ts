import { isOfSchema } from '../lib/check-schema.ts'
import type { TSchema } from '../lib/schema.ts'
import { type Complaint, formatPath, type KeyPath } from './complaint.ts'
import { WANTED } from './config-file.ts'
import { nearestName } from './nearest-name.ts'

/** What the check reads of a schema. */
interface Node {
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly items?: Node
  readonly [WANTED]?: string
}

/** All that keeps a value from being what the schema says; none, and it is. */
export function checkShape(schema: TSchema, value: unknown): readonly Complaint[] {
  return complaintsAbout(schema as Node, value, [])
}

function complaintsAbout(node: Node, value: unknown, at: KeyPath): readonly Complaint[] {
  const { items, properties } = node
  if (items) {
    if (!Array.isArray(value)) return [notThat(at, value, 'a list')]
    return value.flatMap((item, index) => complaintsAbout(items, item, [...at, index]))
  }
  if (!properties) {
    if (isOfSchema(node as TSchema, value)) return []
    return [notThat(at, value, node[WANTED] ?? 'something else')]
  }
  if (!isMapping(value)) {
    return [notThat(at, value, `a mapping with ${inWords(Object.keys(properties))}`)]
  }
  const missing = (node.required ?? [])
    .filter((name) => !Object.hasOwn(value, name))
    .map((name) => ({ at, message: `${formatPath([...at, name])} is missing` }))
  return [
    ...missing,
    ...Object.entries(value).flatMap(([name, member]) => {
      const inner = Object.hasOwn(properties, name) ? properties[name] : undefined
      const path = [...at, name]
      return inner
        ? complaintsAbout(inner, member, path)
        : [{ at: path, message: notKnown(path, name, Object.keys(properties)) }]
    }),
  ]
}

function notKnown(path: KeyPath, name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  const hint = nearest ? `did you mean ${nearest}?` : `known here: ${known.join(', ')}.`
  return `${formatPath(path)}: not known; ${hint}`
}

const notThat = (at: KeyPath, value: unknown, wanted: string): Complaint => ({
  at,
  message: `${at.length === 0 ? 'the file' : formatPath(at)} ${described(value)}: give ${wanted}`,
})

function described(value: unknown): string {
  if (value === null) return 'is empty'
  if (Array.isArray(value)) return 'is a list'
  return typeof value === 'object' ? 'is a mapping' : `is ${JSON.stringify(value)}`
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const inWords = (names: readonly string[]): string =>
  names.length > 1 ? `${names.slice(0, -1).join(', ')} or ${names.at(-1)}` : `${names[0]}`

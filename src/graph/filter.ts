import { GraphError } from './graph-error.ts'

/** An object as Graph shows it. */
export type Entity = Readonly<Record<string, unknown>>

type Test = (entity: Entity) => boolean

const QUOTED = "'((?:[^']|'')*)'"
const EQUALS = new RegExp(`^(\\w+)\\s+eq\\s+${QUOTED}$`, 'i')
const STARTS = new RegExp(`^startswith\\(\\s*(\\w+)\\s*,\\s*${QUOTED}\\s*\\)$`, 'i')
const ANY = new RegExp(`^(\\w+)/any\\(\\s*(\\w+)\\s*:\\s*\\2\\s+eq\\s+${QUOTED}\\s*\\)$`, 'i')
// Splits at an `and` that stands outside of quotes: an even number of them follows.
const AND = /\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)/i

/**
 * What a `$filter` lets through: `name eq 'x'`, `startswith(name,'x')`, `names/any(n:n eq 'x')`, joined by `and`.
 * Texts are compared without regard to case.
 *
 * @throws GraphError 400 for any other.
 */
export function parseFilter(filter: string | undefined): Test {
  if (filter === undefined || filter.trim() === '') return () => true
  const tests = filter.trim().split(AND).map(parseTerm)
  return (entity) => tests.every((test) => test(entity))
}

function parseTerm(term: string): Test {
  const [, equalName, equalText] = EQUALS.exec(term) ?? []
  if (equalName !== undefined && equalText !== undefined) {
    return (entity) => isSame(memberOf(entity, equalName), unquote(equalText))
  }
  const [, startName, startText] = STARTS.exec(term) ?? []
  if (startName !== undefined && startText !== undefined) {
    const start = unquote(startText).toLowerCase()
    return (entity) => String(memberOf(entity, startName)).toLowerCase().startsWith(start)
  }
  const [, anyName, , anyText] = ANY.exec(term) ?? []
  if (anyName !== undefined && anyText !== undefined) {
    return (entity) => {
      const members = memberOf(entity, anyName)
      return Array.isArray(members) && members.some((each) => isSame(each, unquote(anyText)))
    }
  }
  throw new GraphError(
    400,
    'Request_UnsupportedQuery',
    'Unsupported or invalid query filter clause.',
  )
}

function memberOf(entity: Entity, name: string): unknown {
  const key = Object.keys(entity).find((each) => each.toLowerCase() === name.toLowerCase())
  return key === undefined ? undefined : entity[key]
}

const unquote = (text: string): string => text.replaceAll("''", "'")

const isSame = (value: unknown, text: string): boolean =>
  typeof value === 'string' && value.toLowerCase() === text.toLowerCase()

import { faultsOf, isOfSchema } from '../lib/check-schema.ts'
import type { TSchema } from '../lib/schema.ts'
import { invalidContent } from './gateway-errors.ts'
import { CREATE_ONLY, READ_ONLY, SECRET, WRITE_ONLY } from './marks.ts'

/** What the engine reads of a schema: JSON Schema and our marks. */
interface Node {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Node[]
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly items?: Node
  readonly default?: unknown
  readonly [READ_ONLY]?: boolean
  readonly [CREATE_ONLY]?: boolean
  readonly [SECRET]?: boolean
  readonly [WRITE_ONLY]?: boolean
}

type Members = Record<string, unknown>

/**
 * Makes a client's object into what is stored: read-only and unknown members dropped, defaults applied, enums in
 * their own case. What a client cannot or need not repeat (read-only, secret, create-only members) is carried over
 * from `previous`.
 *
 * @throws ArmError 400 InvalidRequestContent where the outcome breaks the schema. `path` begins its message.
 */
export function shapeInput(
  schema: TSchema,
  input: unknown,
  previous: Members | undefined,
  path: string,
): Members {
  const shaped = shape(schema as Node, input ?? {}, previous)
  const [error] = faultsOf(inputSchema(schema as Node) as TSchema, shaped)
  if (error) {
    const at = `${path}${error.instancePath.replaceAll('/', '.')}`
    throw invalidContent(`${error.message}. Path '${at}'`)
  }
  return shaped as Members
}

/** The document without its secrets. */
export function withoutSecrets(schema: TSchema, document: Members): Members {
  return conceal(schema as Node, document, SECRET) as Members
}

/** The document without what is not stored. */
export function withoutWriteOnly(schema: TSchema, document: Members): Members {
  return conceal(schema as Node, document, WRITE_ONLY) as Members
}

/** The dotted path of the first create-only member that differs, if any. Text is compared without regard to case. */
export function findForbiddenChange(
  schema: TSchema,
  next: Members,
  previous: Members,
): string | undefined {
  return forbiddenChange(schema as Node, next, previous)
}

function shape(node: Node, input: unknown, previous: unknown): unknown {
  if (node.anyOf) return shapeUnion(node, node.anyOf, input, previous)
  if (node.enum) return inOwnCase(node.enum, input)
  if (node.const !== undefined) return inOwnCase([node.const], input)
  if (node.type === 'array' && node.items && Array.isArray(input)) {
    const items = node.items
    return input.map((item) => shape(items, item, undefined))
  }
  if (node.properties && isObject(input)) return shapeObject(node.properties, input, previous)
  return input
}

function shapeObject(
  properties: Readonly<Record<string, Node>>,
  input: Members,
  previous: unknown,
): Members {
  const shaped: Members = {}
  const before = isObject(previous) ? previous : {}
  // Member names are matched as ARM does, without regard to case.
  const given = new Map(Object.entries(input).map(([name, value]) => [name.toLowerCase(), value]))
  for (const [name, node] of Object.entries(properties)) {
    const value = shapeMember(node, given.get(name.toLowerCase()), before[name])
    if (value !== undefined) shaped[name] = value
  }
  return shaped
}

function shapeMember(node: Node, input: unknown, previous: unknown): unknown {
  const absent = input === undefined || input === null
  const kept = node[READ_ONLY] || (absent && (node[SECRET] || node[CREATE_ONLY]))
  if (kept && previous !== undefined) return previous
  if (absent || node[READ_ONLY]) {
    if (node.default !== undefined) return shape(node, structuredClone(node.default), previous)
    return undefined
  }
  return shape(node, input, previous)
}

function shapeUnion(node: Node, branches: readonly Node[], input: unknown, previous: unknown) {
  for (const branch of branches) {
    const shaped = shape(branch, input, previous)
    if (isOfSchema(inputSchema(branch) as TSchema, shaped)) return shaped
  }
  return node.enum ? inOwnCase(node.enum, input) : input
}

function inOwnCase(values: readonly unknown[], input: unknown): unknown {
  if (typeof input !== 'string') return input
  const same = (value: unknown) =>
    typeof value === 'string' && value.toLowerCase() === input.toLowerCase()
  return values.find(same) ?? input
}

const inputSchemas = new WeakMap<Node, Node>()

/** The schema of what clients say: nothing read-only is required or checked in it. */
function inputSchema(node: Node): Node {
  const known = inputSchemas.get(node)
  if (known) return known
  const { default: _, ...rest } = node
  const built: Node = {
    ...rest,
    ...(node.anyOf && { anyOf: node.anyOf.map(inputSchema) }),
    ...(node.items && { items: inputSchema(node.items) }),
    ...(node.properties && {
      properties: Object.fromEntries(
        Object.entries(node.properties)
          .filter(([, member]) => !member[READ_ONLY])
          .map(([name, member]) => [name, inputSchema(member)]),
      ),
      required: (node.required ?? []).filter((name) => !node.properties?.[name]?.[READ_ONLY]),
    }),
  }
  inputSchemas.set(node, built)
  return built
}

type Hiding = typeof SECRET | typeof WRITE_ONLY

function conceal(node: Node, value: unknown, mark: Hiding): unknown {
  const { items, properties } = node
  if (items && Array.isArray(value)) return value.map((item) => conceal(items, item, mark))
  if (!properties || !isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !properties[name]?.[mark])
      .map(([name, member]) => {
        const inner = properties[name]
        return [name, inner ? conceal(inner, member, mark) : member]
      }),
  )
}

function forbiddenChange(node: Node, next: unknown, previous: unknown): string | undefined {
  for (const [name, member] of Object.entries(node.properties ?? {})) {
    const [after, before] = [memberOf(next, name), memberOf(previous, name)]
    if (member[CREATE_ONLY]) {
      if (!isSame(after, before)) return name
      continue
    }
    const inner = forbiddenChange(member, after, before)
    if (inner && before !== undefined) return `${name}.${inner}`
  }
  return undefined
}

const memberOf = (value: unknown, name: string) => (isObject(value) ? value[name] : undefined)

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a.toLowerCase() === b.toLowerCase()
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => isSame(item, b[index]))
  }
  if (isObject(a) && isObject(b)) {
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) =>
      isSame(a[name], b[name]),
    )
  }
  return a === b
}

export const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

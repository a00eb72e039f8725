import { GatewayError } from './arm-error.ts'
import { parseResourceId } from './resource-id.ts'
import type { Resource } from './resource-type.ts'

interface Term {
  readonly field: string
  readonly equals: boolean
  /** Lower case. */
  readonly value: string
}

const TERM = /^\s*([\w/]+)\s+(eq|ne)\s+'((?:[^']|'')*)'\s*$/i

/** Field names in lower case; text compares without regard to case. */
const FIELDS: Readonly<Record<string, (resource: Resource) => string | undefined>> = {
  name: (resource) => resource.name,
  resourcetype: (resource) => resource.type,
  resourcegroup: (resource) => parseResourceId(resource.id)?.resourceGroup,
  location: (resource) => resource.location,
}

/**
 * The `$filter` of resource lists: `resourceType`, `resourceGroup`, `name`, `location`, `tagName` and `tagValue`,
 * joined by `and`. Without a filter everything passes.
 *
 * @throws ArmError 400 InvalidFilterInQueryString
 */
export function parseListFilter(filter: string | undefined): (resource: Resource) => boolean {
  if (filter === undefined || filter.trim() === '') return () => true
  const terms = splitAnd(filter).map((text) => parseTerm(text, filter))
  const tagName = terms.find((term) => term.field === 'tagname')
  const tagValue = terms.find((term) => term.field === 'tagvalue')
  if (tagValue && !tagName) throw invalid(filter)
  const plain = terms.filter((term) => term !== tagName && term !== tagValue)
  return (resource) =>
    plain.every((term) => matches(term, FIELDS[term.field]?.(resource))) &&
    (!tagName || hasTag(resource, tagName, tagValue))
}

// An `and` between quotes belongs to a value.
const splitAnd = (filter: string) => filter.split(/\s+and\s+(?=(?:[^']*'[^']*')*[^']*$)/i)

function parseTerm(text: string, filter: string): Term {
  const [, field, operator, value] = TERM.exec(text) ?? []
  const name = field?.toLowerCase()
  const isTag = name === 'tagname' || name === 'tagvalue'
  const known = name !== undefined && (isTag || Object.hasOwn(FIELDS, name))
  if (!known || !operator || value === undefined) throw invalid(filter)
  const equals = operator.toLowerCase() === 'eq'
  if (isTag && !equals) throw invalid(filter)
  return { field: name, equals, value: value.replaceAll("''", "'").toLowerCase() }
}

const matches = (term: Term, actual: string | undefined) =>
  (actual?.toLowerCase() === term.value) === term.equals

function hasTag(resource: Resource, name: Term, value: Term | undefined): boolean {
  return Object.entries(resource.tags ?? {}).some(
    ([tag, content]) =>
      tag.toLowerCase() === name.value && (!value || content.toLowerCase() === value.value),
  )
}

const invalid = (filter: string) =>
  new GatewayError(400, {
    code: 'InvalidFilterInQueryString',
    message: `Invalid $filter '${filter}' specified in the query string.`,
  })

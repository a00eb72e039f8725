import { ArmError } from '../../arm/arm-error.ts'

/** `field eq 'value'` or `call('value')`; names in lower case. */
export interface Term {
  readonly field?: string
  readonly call?: string
  readonly value?: string
}

const EQUALS = /^(\w+)\s+eq\s+'([^']*)'$/i
const CALL = /^(\w+)\(\s*(?:'([^']*)')?\s*\)$/

/** The terms of a `$filter`, which all have to hold. @throws ArmError 400 */
export function parseTerms(filter: string | undefined): readonly Term[] {
  if (filter === undefined || filter.trim() === '') return []
  return filter.split(/\s+and\s+/i).map((text) => {
    const [, field, value] = EQUALS.exec(text.trim()) ?? []
    if (field !== undefined && value !== undefined) return { field: field.toLowerCase(), value }
    const [, call, argument] = CALL.exec(text.trim()) ?? []
    if (call === undefined) throw unsupportedFilter(filter)
    return { call: call.toLowerCase(), ...(argument !== undefined && { value: argument }) }
  })
}

export const unsupportedFilter = (filter: string | undefined): ArmError =>
  new ArmError(400, {
    code: 'InvalidFilterInQueryString',
    message: `Invalid $filter '${filter ?? ''}' specified in the query string.`,
  })

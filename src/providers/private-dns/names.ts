/** Labels may begin with an underscore (`_sip._tcp`) and never end in a hyphen. */
const LABEL = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?'

/** A private zone has two to 34 labels. */
export const ZONE_NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL}){1,33}$`)

/** Relative to the zone: `@` for the apex, `*` alone or as the first label. */
export const RECORD_SET_NAME = new RegExp(`^(?=.{1,253}$)(?:@|(?:\\*|${LABEL})(?:\\.${LABEL})*)$`)

const DOMAIN_NAME = new RegExp(`^(?=.{1,254}$)(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*\\.?$`)

/** Whether a record may point at it; a final dot is allowed, the root alone (`.`) as well. */
export const isDomainName = (text: string): boolean => text === '.' || DOMAIN_NAME.test(text)

export const withoutFinalDot = (name: string): string =>
  name.endsWith('.') ? name.slice(0, -1) : name

/** The full name of a record set, with the final dot that the service writes. */
export const fqdnOf = (relative: string, zone: string): string =>
  relative === '@' ? `${zone}.` : `${relative}.${zone}.`

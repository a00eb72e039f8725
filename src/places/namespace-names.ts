import type { PlaceId } from '../lib/origin.ts'

const MARK = /^[0-9a-f]{8}$/
const PLACE = /^[a-z0-9-]{1,64}$/
const PROGRAM = /^[0-9a-f]{6}$/

/** What all namespaces of one data folder begin with. Throws for a mark that is not eight hex digits. */
export function namespacePrefix(mark: string): string {
  if (!MARK.test(mark)) throw new Error(`'${mark}' is no mark of a data folder`)
  return `cw-${mark}-`
}

export function placeNamespace(mark: string, place: PlaceId): string {
  if (!PLACE.test(place)) throw new Error(`'${place}' cannot name a namespace`)
  return namespacePrefix(mark) + place
}

export const programNamespace = (mark: string, id: string): string =>
  `${namespacePrefix(mark)}p-${id}`

/** The id of an attached program by the name of its namespace; undefined for other namespaces. */
export function programIdOf(mark: string, namespace: string): string | undefined {
  const prefix = `${namespacePrefix(mark)}p-`
  const id = namespace.slice(prefix.length)
  return namespace.startsWith(prefix) && PROGRAM.test(id) ? id : undefined
}

/** Where iproute2 keeps named network namespaces. */
export const NAMESPACE_FOLDER = '/run/netns'

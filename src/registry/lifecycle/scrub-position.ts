import { HOME } from '../replicas/home.ts'

/**
 * Where a scrub is: among the files of a region, or among the rows that tell which it should have; `after` the digest that
 * was the last.
 */
export interface ScrubPosition {
  readonly region: string
  readonly among: 'files' | 'rows'
  readonly after: string
}

const ROWS = 'rows:'

/** As a text that a later process can go on from; that of the home says no region. */
export function writePosition({ region, among, after }: ScrubPosition): string {
  const within = among === 'rows' ? `${ROWS}${after}` : after
  return region === HOME ? within : `${region}/${within}`
}

export function readPosition(text: string): ScrubPosition {
  const slash = text.indexOf('/')
  const region = slash < 0 ? HOME : text.slice(0, slash)
  const within = text.slice(slash + 1)
  if (!within.startsWith(ROWS)) return { region, among: 'files', after: within }
  return { region, among: 'rows', after: within.slice(ROWS.length) }
}

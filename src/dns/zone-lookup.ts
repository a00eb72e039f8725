import type { RecordSet, Zone } from './zone-source.ts'

/** What a zone has at a name. `at` is the relative name whose records answer: the name itself, or a wildcard. */
export type ZoneLookup =
  | { readonly found: 'sets'; readonly at: string; readonly sets: readonly RecordSet[] }
  | { readonly found: 'nothing' }

/** The linked zone that answers for a lower-case name: of those that hold it, the longest. */
export function zoneFor(zones: readonly Zone[], name: string): Zone | undefined {
  let best: Zone | undefined
  for (const zone of zones) {
    if (!holds(zone, name)) continue
    if (!best || zone.name.length > best.name.length) best = zone
  }
  return best
}

const holds = (zone: Zone, name: string): boolean =>
  name === zone.name || name.endsWith(`.${zone.name}`)

/** Looks a lower-case name up in the zone that holds it, wildcards and empty non-terminals as in RFC 4592. */
export function lookUpInZone(zone: Zone, name: string): ZoneLookup {
  const relative = name === zone.name ? '@' : name.slice(0, -zone.name.length - 1)
  const names = existingNames(zone)
  if (names.has(relative)) return setsAt(zone, relative)

  // The closest encloser decides alone: a wildcard further up does not reach past a name that exists (RFC 4592 §3.3.1).
  let encloser = parentOf(relative)
  while (!names.has(encloser)) encloser = parentOf(encloser)
  const wildcard = encloser === '@' ? '*' : `*.${encloser}`
  return names.has(wildcard) ? setsAt(zone, wildcard) : { found: 'nothing' }
}

const setsAt = (zone: Zone, at: string): ZoneLookup => ({
  found: 'sets',
  at,
  sets: zone.records.get(at) ?? [],
})

function parentOf(relative: string): string {
  const dot = relative.indexOf('.')
  return dot < 0 ? '@' : relative.slice(dot + 1)
}

// Zones are snapshots that are replaced, never changed, so what is derived from one stays right.
const namesByRecords = new WeakMap<Zone['records'], ReadonlySet<string>>()

/** Every name of the zone, those included that exist only because something lies below them. */
function existingNames(zone: Zone): ReadonlySet<string> {
  const known = namesByRecords.get(zone.records)
  if (known) return known
  const names = new Set(['@'])
  for (const relative of zone.records.keys()) {
    for (let name = relative; !names.has(name); name = parentOf(name)) names.add(name)
  }
  namesByRecords.set(zone.records, names)
  return names
}

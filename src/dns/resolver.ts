import type { PlaceId } from '../lib/origin.ts'
import type { PublicNames } from './public-names.ts'
import type { Answer, Question, Reason, Resolution } from './resolution.ts'
import { registrableDomain, syntheticSoa } from './synthetic-soa.ts'
import { lookUpInZone, zoneFor } from './zone-lookup.ts'
import type { RecordSet, Zone, ZoneSource } from './zone-source.ts'

export interface Resolver {
  /** Answers a question as seen from a place. Pure and in memory. */
  resolve(place: PlaceId, question: Question): Resolution
}

/** What one name came to; an alias is followed. `name` of an answer is set to the name as it was asked for. */
type Step = { readonly reasons: readonly Reason[] } & (
  | { readonly outcome: 'answers'; readonly answers: readonly Answer[] }
  | { readonly outcome: 'alias'; readonly ttl: number; readonly target: string }
  | { readonly outcome: 'empty' | 'missing'; readonly soa: Answer }
)

// The longest chain of the public registry names has four aliases; BIND gives up after 16 as well.
const ALIASES_MAX = 16

// RFC 8482: one small record for ANY instead of everything there is.
export const MINIMAL_ANY = { type: 'HINFO', ttl: 3600, value: '"RFC8482" ""' } as const

// The service's description of `resolutionPolicy` names these types and no others.
const REDIRECTED_TYPES = new Set(['A', 'AAAA', 'CNAME'])

/**
 * Resolution from a place: the longest matching linked zone, then the public names. Aliases are followed to the end
 * inside one answer, across zones.
 */
export function createResolver({
  zones,
  names,
}: {
  readonly zones: ZoneSource
  readonly names: PublicNames
}): Resolver {
  function lookUp(view: PlaceId, visible: readonly Zone[], asked: string, type: string): Step {
    const name = asked.toLowerCase()
    const zone = zoneFor(visible, name)
    if (!zone) return lookUpPublicly(names, view, asked, name, type)
    const step = lookUpPrivately(zone, view, asked, name, type)
    const looksOn = zone.redirectsNxDomain && REDIRECTED_TYPES.has(type)
    if (step.outcome !== 'missing' || !looksOn) return step
    const redirect: Reason = { view, name, rule: 'redirect', zone: zone.id, link: zone.linkId }
    const onward = lookUpPublicly(names, view, asked, name, type)
    return { ...onward, reasons: [redirect, ...onward.reasons] }
  }

  return {
    resolve(place, { name, type }) {
      const visible = zones.zonesVisibleFrom(place)
      const authoritative = zoneFor(visible, name.toLowerCase()) !== undefined
      const answers: Answer[] = []
      const reasons: Reason[] = []
      let asked = name
      for (let aliases = 0; aliases <= ALIASES_MAX; aliases += 1) {
        const step = lookUp(place, visible, asked, type)
        reasons.push(...step.reasons)
        if (step.outcome === 'answers') {
          answers.push(...step.answers)
          return { rcode: 'NOERROR', authoritative, answers, authority: [], reasons }
        }
        if (step.outcome === 'alias') {
          answers.push({ name: asked, type: 'CNAME', ttl: step.ttl, value: step.target })
          asked = step.target
          continue
        }
        // RFC 6604: the code speaks of the last name of the chain, also where aliases lead there.
        const rcode = step.outcome === 'empty' ? 'NOERROR' : 'NXDOMAIN'
        return { rcode, authoritative, answers, authority: [step.soa], reasons }
      }
      reasons.push({ view: place, name: asked.toLowerCase(), rule: 'loop' })
      return { rcode: 'SERVFAIL', authoritative: false, answers: [], authority: [], reasons }
    },
  }
}

function lookUpPrivately(
  zone: Zone,
  view: PlaceId,
  asked: string,
  name: string,
  type: string,
): Step {
  const because = { view, name, zone: zone.id, link: zone.linkId }
  // RFC 2308 §5: a negative answer lives as long as the smaller of the SOA's own TTL and its minimum.
  const negative: Answer = {
    name: zone.name,
    type: 'SOA',
    ttl: Math.min(zone.soaTtl, zone.soa.minimumTtl),
    soa: zone.soa,
  }
  const found = lookUpInZone(zone, name)
  if (found.found === 'nothing') {
    return { outcome: 'missing', soa: negative, reasons: [{ ...because, rule: 'missing' }] }
  }
  const rule = found.at.startsWith('*') ? 'wildcard' : 'record'
  if (type === 'ANY') {
    return {
      outcome: 'answers',
      answers: [{ name: asked, ...MINIMAL_ANY }],
      reasons: [{ ...because, rule }],
    }
  }
  if (type === 'SOA' && name === zone.name) {
    const soa: Answer = { name: asked, type: 'SOA', ttl: zone.soaTtl, soa: zone.soa }
    return { outcome: 'answers', answers: [soa], reasons: [{ ...because, rule }] }
  }
  const set = answeringSet(found.sets, type)
  const [first] = set?.values ?? []
  if (!set || first === undefined) {
    return { outcome: 'empty', soa: negative, reasons: [{ ...because, rule: 'empty' }] }
  }
  const reasons: readonly Reason[] = [{ ...because, rule, recordSet: `${set.type}/${found.at}` }]
  if (set.type === 'CNAME' && type !== 'CNAME') {
    return { outcome: 'alias', ttl: set.ttl, target: first, reasons }
  }
  const answers = set.values.map((value) => ({ name: asked, type: set.type, ttl: set.ttl, value }))
  return { outcome: 'answers', answers, reasons }
}

const answeringSet = (sets: readonly RecordSet[], type: string): RecordSet | undefined =>
  sets.find((set) => set.type === type && set.values.length > 0) ??
  sets.find((set) => set.type === 'CNAME' && set.values.length > 0)

function lookUpPublicly(
  names: PublicNames,
  view: PlaceId,
  asked: string,
  name: string,
  type: string,
): Step {
  // The root always exists: were it missing, everything below would be too (RFC 8020).
  const records = names.lookup(name) ?? (name === '' ? [] : undefined)
  if (!records) return missingPublicly(names, view, name)
  const reasons: readonly Reason[] = [{ view, name, rule: 'public' }]
  if (type === 'ANY') {
    return { outcome: 'answers', answers: [{ name: asked, ...MINIMAL_ANY }], reasons }
  }
  const answers: Answer[] = []
  for (const record of records) {
    if (record.type === 'CNAME' && type !== 'CNAME') {
      return { outcome: 'alias', ttl: record.ttl, target: record.target, reasons }
    }
    if (record.type !== type) continue
    const value = record.type === 'A' ? record.address : record.target
    answers.push({ name: asked, type: record.type, ttl: record.ttl, value })
  }
  if (answers.length > 0) return { outcome: 'answers', answers, reasons }
  return {
    outcome: 'empty',
    soa: syntheticSoa(registrableDomain(name)),
    reasons: [{ view, name, rule: 'public-empty' }],
  }
}

// A place has no internet beyond what Causeway plays, so a name of nobody truly does not exist there: SERVFAIL or
// REFUSED would make stub resolvers try again, wait, and report a broken server instead of a missing name.
function missingPublicly(names: PublicNames, view: PlaceId, name: string): Step {
  const isPlayed = ancestorsOf(name).some((ancestor) => names.lookup(ancestor) !== undefined)
  return {
    outcome: 'missing',
    soa: syntheticSoa(isPlayed ? registrableDomain(name) : ''),
    reasons: [{ view, name, rule: isPlayed ? 'public-missing' : 'unknown' }],
  }
}

function ancestorsOf(name: string): readonly string[] {
  const labels = name.split('.')
  return labels.slice(1, -1).map((_, index) => labels.slice(index + 1).join('.'))
}

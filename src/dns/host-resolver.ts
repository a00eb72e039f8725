import type { PlaceId } from '../lib/origin.ts'
import type { Answer, Reason, Resolution, Rule } from './resolution.ts'
import { MINIMAL_ANY, type Resolver } from './resolver.ts'
import { syntheticSoa } from './synthetic-soa.ts'

/** The names that the host serves. In memory. */
export interface HostNameSource {
  /** The domain below which all names are the host's; what else it has are single names. */
  readonly domain: string
  /** The addresses of exactly this name (lower case); [] where only names below it exist; undefined where it does not exist. */
  addressesOf(name: string): readonly string[] | undefined
  readonly version: number
}

// As short as that of a private endpoint: the addresses come from a file that may change with the next start.
const ADDRESS_TTL = 10

/** Answers for the names of the host, and leaves every other to whoever asked: it is no resolver for the world. */
export function createHostResolver(source: HostNameSource): Resolver {
  return {
    resolve(place, { name: asked, type }) {
      const name = asked.toLowerCase()
      const addresses = source.addressesOf(name)
      const isInside = name === source.domain || name.endsWith(`.${source.domain}`)
      if (!addresses && !isInside) return refused(place, name)
      const soa = syntheticSoa(isInside ? source.domain : name)
      if (!addresses) return negative('NXDOMAIN', soa, because(place, name, 'host-missing'))
      const answers = answersFor(asked, type, addresses, soa)
      if (answers.length === 0) return negative('NOERROR', soa, because(place, name, 'host-empty'))
      return {
        rcode: 'NOERROR',
        authoritative: true,
        answers,
        authority: [],
        reasons: because(place, name, 'host'),
      }
    },
  }
}

function answersFor(
  asked: string,
  type: string,
  addresses: readonly string[],
  soa: Answer,
): readonly Answer[] {
  if (type === 'ANY') return [{ name: asked, ...MINIMAL_ANY }]
  if (type === 'SOA' && asked.toLowerCase() === soa.name) return [{ ...soa, name: asked }]
  if (type !== 'A') return []
  return addresses.map((value) => ({ name: asked, type: 'A', ttl: ADDRESS_TTL, value }))
}

const because = (view: PlaceId, name: string, rule: Rule): readonly Reason[] => [
  { view, name, rule },
]

const negative = (
  rcode: 'NOERROR' | 'NXDOMAIN',
  soa: Answer,
  reasons: readonly Reason[],
): Resolution => ({ rcode, authoritative: true, answers: [], authority: [soa], reasons })

const refused = (place: PlaceId, name: string): Resolution => ({
  rcode: 'REFUSED',
  authoritative: false,
  answers: [],
  authority: [],
  reasons: because(place, name, 'foreign'),
})

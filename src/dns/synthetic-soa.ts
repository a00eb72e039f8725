import type { Answer } from './resolution.ts'

// RFC 2308: without an SOA a negative answer cannot be cached, and some stub resolvers ask again and again.
const SOA = {
  host: 'causeway.invalid',
  email: 'hostmaster.causeway.invalid',
  serialNumber: 1,
  refreshTime: 3600,
  retryTime: 300,
  expireTime: 2419200,
  minimumTtl: 10,
}

/** The SOA of a domain that Causeway plays or serves without a zone of its own; `.invalid` (RFC 6761) says that nobody else will vouch for it. */
export const syntheticSoa = (domain: string): Answer => ({
  name: domain,
  type: 'SOA',
  ttl: SOA.minimumTtl,
  soa: SOA,
})

/** The last two labels: near enough to a registrable domain for an SOA's owner. */
export const registrableDomain = (name: string): string => name.split('.').slice(-2).join('.')

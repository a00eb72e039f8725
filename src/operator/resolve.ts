import type { Resolver } from '../dns/resolver.ts'
import { HOST_PLACE } from '../lib/origin.ts'
import type { NetworkSource } from '../places/network-source.ts'
import type { Resolved, ResolveRequest } from './contract.ts'
import { findPlace } from './find-place.ts'
import { OperatorError } from './operator-error.ts'

export interface ResolveOptions {
  readonly networks: NetworkSource
  readonly resolver: Resolver
  readonly hostResolver: Resolver
}

// A letter, a digit, or one of the signs that stand in names of services and wildcards.
const NAME = /^(?=.{1,253}$)[\w*-]{1,63}(\.[\w*-]{1,63})*$/

/** What the view of a place answers, and why; the place itself need not be there. @throws OperatorError */
export function resolveName(request: ResolveRequest, options: ResolveOptions): Resolved {
  const name = request.name.replace(/\.$/, '')
  const type = request.type.toUpperCase()
  if (!NAME.test(name)) throw new OperatorError(400, `'${request.name}' is not a host name.`)
  if (!TYPES.includes(type)) {
    throw new OperatorError(400, `'${request.type}' is not one of the types ${TYPES.join(', ')}.`)
  }
  const { place, placeName, resolver } = viewOf(request.where, options)
  const { rcode, answers, reasons } = resolver.resolve(place, { name, type })
  return { place: placeName, name, type, rcode, answers: answers.map(printable), reasons }
}

const TYPES = ['A', 'AAAA', 'ANY', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT']

function viewOf(where: ResolveRequest['where'], options: ResolveOptions) {
  if ('host' in where) {
    return { place: HOST_PLACE, placeName: HOST_PLACE, resolver: options.hostResolver }
  }
  return { ...findPlace(where, options.networks), resolver: options.resolver }
}

function printable(answer: ReturnType<Resolver['resolve']>['answers'][number]) {
  const { name, type, ttl } = answer
  if (answer.type !== 'SOA') return { name, type, ttl, value: answer.value }
  const { host, email, serialNumber, minimumTtl } = answer.soa
  return { name, type, ttl, value: `${host} ${email} ${serialNumber} … ${minimumTtl}` }
}

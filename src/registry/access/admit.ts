import { BlockList, isIPv4 } from 'node:net'
import type { Origin } from '../../lib/origin.ts'
import { OciError } from '../http/oci-error.ts'
import type { RegistryFacts } from '../registry-directory.ts'

export type Admission =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly reason: string; readonly error: OciError }

const compiled = new WeakMap<readonly string[], BlockList>()

/**
 * Decides whether a connection may talk to this host of this registry at all. The one place where that is decided:
 * for login server, data endpoint and token endpoints alike, before anything else is looked at.
 */
export function admit(origin: Origin, registry: RegistryFacts, host: string): Admission {
  if (origin.via === 'host') {
    return notServed('registries are not served on the host itself')
  }
  if (origin.via === 'endpoint') {
    if (origin.host !== host) return notServed('the endpoint is for another host name')
    return { admitted: true }
  }
  const access = registry.publicAccess
  if (access.kind === 'all') return { admitted: true }
  if (access.kind === 'none') return denied(origin.address, 'public access is off')
  if (listOf(access.ranges).check(origin.address)) return { admitted: true }
  return denied(origin.address, 'no network rule has the address')
}

function notServed(reason: string): Admission {
  return { admitted: false, reason, error: new OciError('NOT_FOUND') }
}

function denied(address: string, reason: string): Admission {
  const error = new OciError('DENIED', undefined, {
    message: `client with IP '${address}' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.`,
  })
  return { admitted: false, reason, error }
}

function listOf(ranges: readonly string[]): BlockList {
  const known = compiled.get(ranges)
  if (known) return known
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits = '32'] = range.split('/')
    if (isIPv4(address)) list.addSubnet(address, Number(bits))
  }
  compiled.set(ranges, list)
  return list
}

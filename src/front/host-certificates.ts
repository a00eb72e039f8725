import type { SecureContext } from 'node:tls'
import type { Authorities } from './authorities.ts'
import { NameNotCovered } from './leaf-certificates.ts'
import type { OwnCertificates } from './own-certificates.ts'

/**
 * The certificate by which the host shows a name that it serves: the operator's, else one of the host's authority. A
 * name of a cloud has one that only places trust, so that a client must be told to trust it for that one call.
 */
export async function hostCertificate(
  name: string,
  sources: {
    readonly authorities: Pick<Authorities, 'place' | 'host'>
    readonly own: Pick<OwnCertificates, 'contextFor'>
  },
): Promise<SecureContext | undefined> {
  const { authorities, own } = sources
  const brought = own.contextFor(name)
  if (brought) return brought
  for (const authority of [authorities.host, authorities.place]) {
    try {
      return await authority.leafFor(name)
    } catch (error) {
      if (!(error instanceof NameNotCovered)) throw error
    }
  }
  return undefined
}

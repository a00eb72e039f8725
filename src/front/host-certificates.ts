import type { Authorities } from './authorities.ts'
import type { OwnCertificates } from './own-certificates.ts'
import { signedBy } from './signed-by.ts'
import type { ServerCertificate } from './tls-listener.ts'

/**
 * The certificate by which the host shows a name that it serves: the operator's, else one of the host's authority. A
 * name of a cloud has one that only places trust, so that a client must be told to trust it for that one call.
 */
export async function hostCertificate(
  name: string,
  sources: {
    readonly authorities: Pick<Authorities, 'place' | 'host'>
    readonly own: Pick<OwnCertificates, 'certificateFor'>
  },
): Promise<ServerCertificate | undefined> {
  const { authorities, own } = sources
  const brought = own.certificateFor(name)
  if (brought) return brought
  return (await signedBy(authorities.host, name)) ?? signedBy(authorities.place, name)
}

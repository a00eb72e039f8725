import type { Authority } from './authorities.ts'
import { NameNotCovered } from './leaf-certificates.ts'
import type { ServerCertificate } from './tls-listener.ts'

/** An authority's certificate for a name; undefined for one that it does not sign. */
export async function signedBy(
  authority: Pick<Authority, 'leafFor'>,
  name: string,
): Promise<ServerCertificate | undefined> {
  try {
    return await authority.leafFor(name)
  } catch (error) {
    if (error instanceof NameNotCovered) return undefined
    throw error
  }
}

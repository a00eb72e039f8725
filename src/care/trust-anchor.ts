import { X509Certificate } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import {
  Certificate,
  type GeneralSubtree,
  id_ce_nameConstraints,
  NameConstraints,
} from '@peculiar/asn1-x509'

/** A certificate authority as people must see it before they trust it. */
export interface TrustAnchor {
  /** PEM. */
  readonly certificate: string
  readonly subject: string
  /** SHA-256. */
  readonly fingerprint: string
  readonly validUntil: Date
  /** All that it may sign: names with what lies below them, and addresses. */
  readonly permitted: readonly string[]
}

/** Not an authority that a machine should trust; the message says why. */
export class Untrustworthy extends Error {
  override readonly name = 'Untrustworthy'
}

/** @throws Untrustworthy where nothing limits what the authority may sign */
export function readTrustAnchor(pem: string): TrustAnchor {
  const certificate = new X509Certificate(pem)
  const constraints = constraintsOf(certificate)
  const permitted = Array.from(constraints?.permittedSubtrees ?? [], shown)
  if (!certificate.ca || permitted.length === 0) {
    throw new Untrustworthy('It is no authority for a few names: it could sign every name.')
  }
  return {
    certificate: certificate.toString(),
    subject: certificate.subject.replaceAll('\n', ', '),
    fingerprint: certificate.fingerprint256,
    validUntil: certificate.validToDate,
    permitted,
  }
}

/** The certificate's constraints, where clients must honour them. */
function constraintsOf(certificate: X509Certificate): NameConstraints | undefined {
  const { extensions = [] } = AsnConvert.parse(certificate.raw, Certificate).tbsCertificate
  const found = extensions.find(({ extnID }) => extnID === id_ce_nameConstraints)
  return found?.critical ? AsnConvert.parse(found.extnValue, NameConstraints) : undefined
}

function shown({ base }: GeneralSubtree): string {
  if (base.dNSName !== undefined) return base.dNSName
  if (base.iPAddress !== undefined) return base.iPAddress
  return 'names of another kind'
}

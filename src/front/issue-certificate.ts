import { createPrivateKey, KeyObject, randomBytes, type webcrypto } from 'node:crypto'
import {
  encodeNameConstraints,
  NAME_CONSTRAINTS_OID,
  type NameConstraints,
} from './name-constraints.ts'

/** Certificate and private key, both PEM. */
export interface KeyedCertificate {
  readonly certificate: string
  readonly key: string
}

const DAY_MS = 24 * 60 * 60 * 1000
const AUTHORITY_DAYS = 3650
// Together at most the 398 days that clients of today accept; begun early for clients whose clock is behind.
const LEAF_DAYS = 396
const BACKDATED_DAYS = 1
const COMMON_NAME_MAX = 64

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const

/** A certificate authority of its own, which can sign leaves within its constraints and no further authority. */
export async function issueAuthority(
  commonName: string,
  constraints: NameConstraints,
): Promise<KeyedCertificate> {
  const x509 = await loadX509()
  const keys = await makeKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${commonName}, O=Causeway`,
    keys,
    serialNumber: makeSerialNumber(),
    ...validity(AUTHORITY_DAYS),
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
      new x509.Extension(NAME_CONSTRAINTS_OID, true, encodeNameConstraints(constraints)),
    ],
  })
  return { certificate: certificate.toString('pem'), key: toPem(keys.privateKey) }
}

/** A certificate for a server that goes by `domains` (at least one) and `addresses`, valid for `life`. */
export async function issueLeaf(
  authority: KeyedCertificate,
  names: {
    readonly domains: readonly [string, ...string[]]
    readonly addresses: readonly string[]
  },
  life: { readonly days: number } = { days: LEAF_DAYS },
): Promise<KeyedCertificate> {
  const x509 = await loadX509()
  const issuer = new x509.X509Certificate(authority.certificate)
  const keys = await makeKeys()
  const [commonName] = names.domains
  const certificate = await x509.X509CertificateGenerator.create({
    // A common name is for the reader's eye and limited in length; clients go by the alternative names.
    subject: commonName.length <= COMMON_NAME_MAX ? `CN=${commonName}` : 'O=Causeway',
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: createPrivateKey(authority.key).toCryptoKey(CURVE, false, ['sign']),
    serialNumber: makeSerialNumber(),
    ...validity(life.days),
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      new x509.SubjectAlternativeNameExtension([
        ...names.domains.map((value) => ({ type: 'dns' as const, value })),
        ...names.addresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
    ],
  })
  return { certificate: certificate.toString('pem'), key: toPem(keys.privateKey) }
}

// Loaded on the first certificate to be made: most starts find all of theirs on disk.
async function loadX509() {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

const makeKeys = async (): Promise<webcrypto.CryptoKeyPair> =>
  crypto.subtle.generateKey(CURVE, true, ['sign', 'verify'])

const toPem = (key: webcrypto.CryptoKey): string =>
  KeyObject.from(key).export({ format: 'pem', type: 'pkcs8' }).toString()

function validity(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now()
  return {
    notBefore: new Date(now + (Math.min(days, 0) - BACKDATED_DAYS) * DAY_MS),
    notAfter: new Date(now + days * DAY_MS),
  }
}

// RFC 5280 §4.1.2.2: positive, at most 20 octets; the first octet keeps it so without padding.
const makeSerialNumber = (): string =>
  Buffer.concat([Buffer.from([0x40]), randomBytes(15)]).toString('hex')

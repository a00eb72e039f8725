import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { CannotStart } from '../lib/cannot-start.ts'
import { readIfPresent, readOrCreate, replaceFile } from '../lib/durable-file.ts'
import { CLOUD_NAMES, isOwnDomain } from './cloud-names.ts'
import { issueAuthority, type KeyedCertificate } from './issue-certificate.ts'
import { createLeafCertificates, type LeafCertificates } from './leaf-certificates.ts'
import type { NameConstraints } from './name-constraints.ts'

/** One certificate authority and what it has signed. */
export interface Authority extends LeafCertificates {
  /** Path of the authority's certificate, PEM. */
  readonly certificateFile: string
}

export interface Authorities {
  /** Signs the names of the cloud and of registries; trusted inside places only. */
  readonly place: Authority
  /** Signs `localhost`, what lies below it, `127.0.0.1`, and the operator's own names. */
  readonly host: Authority
  /** Path of the trust store of places: what the machine trusts, and the place authority. */
  readonly placeBundle: string
  /** Path of a trust store for programs on the host: what the machine trusts, and the host authority. */
  readonly hostBundle: string
}

// Where distributions keep the certificates they trust, in one file.
const SYSTEM_BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt']

// An authority is replaced while its last leaves still have their whole life before them.
const REMAINING_MS_MIN = 400 * 24 * 60 * 60 * 1000

/** Opens the two authorities kept in `folder`, making them first where there are none or where they sign other names. */
export async function openAuthorities(
  folder: string,
  options: {
    readonly registryDomain: string
    /** The operator's names of the control plane. */
    readonly hostNames?: readonly string[]
  },
): Promise<Authorities> {
  const { registryDomain, hostNames = [] } = options
  // The names that private zones answer for have no certificate in the real service either.
  const excludedDomains = [`privatelink.${registryDomain}`]
  const placeNames: NameConstraints = {
    domains: [...CLOUD_NAMES.keys(), registryDomain],
    excludedDomains,
    addresses: [],
  }
  // The host may be told to trust this one, so it never signs a cloud's own domain.
  const isOwn = isOwnDomain(registryDomain)
  const hostNamesSigned: NameConstraints = {
    domains: ['localhost', ...(isOwn ? [registryDomain] : []), ...hostNames],
    excludedDomains: isOwn ? excludedDomains : [],
    addresses: ['127.0.0.1'],
  }
  const [place, host] = await Promise.all([
    openAuthority(folder, 'place', 'Causeway places', placeNames),
    openAuthority(folder, 'host', 'Causeway on this host', hostNamesSigned),
  ])
  const [placeBundle, hostBundle] = [
    join(folder, 'place-bundle.pem'),
    join(folder, 'host-bundle.pem'),
  ]
  const machine = await systemBundle()
  await writeIfChanged(placeBundle, machine + place.certificate)
  await writeIfChanged(hostBundle, machine + host.certificate)
  return { place: place.authority, host: host.authority, placeBundle, hostBundle }
}

async function openAuthority(
  folder: string,
  kind: 'place' | 'host',
  commonName: string,
  constraints: NameConstraints,
): Promise<{ authority: Authority; certificate: string }> {
  const keyFile = join(folder, `${kind}-ca.json`)
  const make = async () =>
    JSON.stringify({ constraints, ...(await issueAuthority(commonName, constraints)) })
  let stored = parseAuthority(keyFile, await readOrCreate(keyFile, make))
  if (!isDeepSame(stored.constraints, constraints) || expiresSoon(stored.certificate)) {
    await replaceFile(keyFile, await make())
    stored = parseAuthority(keyFile, await readOrCreate(keyFile, make))
  }
  const file = join(folder, `${kind}-ca.pem`)
  await writeIfChanged(file, stored.certificate)
  const leaves = createLeafCertificates({
    authority: stored,
    constraints,
    folder: join(folder, `${kind}-leaves`),
  })
  return { authority: { certificateFile: file, ...leaves }, certificate: stored.certificate }
}

type StoredAuthority = KeyedCertificate & { readonly constraints: unknown }

function parseAuthority(file: string, text: string): StoredAuthority {
  try {
    const { constraints, certificate, key } = JSON.parse(text) as Record<string, unknown>
    if (typeof certificate === 'string' && typeof key === 'string') {
      return { constraints, certificate, key }
    }
  } catch (error) {
    throw new CannotStart(`${file} is damaged; remove it to have another made.`, { cause: error })
  }
  throw new CannotStart(`${file} is damaged; remove it to have another made.`)
}

const isDeepSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

const expiresSoon = (certificate: string): boolean =>
  new X509Certificate(certificate).validToDate.getTime() - Date.now() < REMAINING_MS_MIN

async function systemBundle(): Promise<string> {
  for (const file of SYSTEM_BUNDLES) {
    const text = await readIfPresent(file)
    if (text !== undefined) return text.endsWith('\n') ? text : `${text}\n`
  }
  return ''
}

// Certificates are public, and programs that run as somebody else must read them.
async function writeIfChanged(file: string, text: string): Promise<void> {
  const withNewline = text.endsWith('\n') ? text : `${text}\n`
  if ((await readIfPresent(file)) !== withNewline) await replaceFile(file, withNewline, 0o644)
}

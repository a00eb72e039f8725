import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { readIfPresent, replaceFile } from '../lib/durable-file.ts'
import { issueLeaf, type KeyedCertificate } from './issue-certificate.ts'
import type { NameConstraints } from './name-constraints.ts'
import type { ServerCertificate } from './tls-listener.ts'
import { TLS_SETTINGS } from './tls-settings.ts'

export interface LeafCertificates {
  /**
   * The certificate of `hostname` (lower case), issued if need be.
   *
   * @throws NameNotCovered
   */
  leafFor(hostname: string): Promise<ServerCertificate>
}

/** The authority does not sign this name. */
export class NameNotCovered extends Error {
  override readonly name = 'NameNotCovered'
  constructor(hostname: string) {
    super(`There is no certificate for '${hostname}'.`)
  }
}

interface Leaf extends ServerCertificate {
  readonly renewAt: number
}

const DAY_MS = 24 * 60 * 60 * 1000
const RENEWED_DAYS_BEFORE = 60
const CACHED_MAX = 1000
const HOSTNAME =
  /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/** Leaves of one authority: in memory, behind it on disk so that a restart need not issue them again. */
export function createLeafCertificates(options: {
  readonly authority: KeyedCertificate
  readonly constraints: NameConstraints
  readonly folder: string
}): LeafCertificates {
  const { authority, constraints, folder } = options
  const issuer = new X509Certificate(authority.certificate)
  // In the order of last use; a Map keeps the order of insertion.
  const cached = new Map<string, Promise<Leaf>>()

  const isCovered = (hostname: string): boolean =>
    HOSTNAME.test(hostname) &&
    constraints.domains.some((domain) => isBelow(hostname, domain)) &&
    !constraints.excludedDomains.some((domain) => isBelow(hostname, domain))

  async function open(hostname: string): Promise<Leaf> {
    const file = join(folder, `${hostname}.pem`)
    const stored = await readIfPresent(file)
    const leaf = stored === undefined ? undefined : parseLeaf(stored, issuer)
    if (leaf && leaf.renewAt > Date.now()) return leaf
    const { certificate, key } = await issueLeaf(authority, {
      domains: [hostname],
      addresses: constraints.addresses,
    })
    const text = `${certificate.trimEnd()}\n${key}`
    // A disk that does not take it costs one more signature after a restart; the name is served all the same.
    await replaceFile(file, text).catch(() => undefined)
    const issued = parseLeaf(text, issuer)
    if (!issued) throw new Error(`the certificate issued for '${hostname}' is not usable`)
    return issued
  }

  function remember(hostname: string): Promise<Leaf> {
    const opening = open(hostname)
    cached.set(hostname, opening)
    opening.catch(() => {
      if (cached.get(hostname) === opening) cached.delete(hostname)
    })
    const [oldest] = cached.keys()
    if (cached.size > CACHED_MAX && oldest !== undefined) cached.delete(oldest)
    return opening
  }

  async function current(hostname: string): Promise<Leaf> {
    if (!isCovered(hostname)) throw new NameNotCovered(hostname)
    const known = cached.get(hostname)
    if (!known) return remember(hostname)
    cached.delete(hostname)
    cached.set(hostname, known)
    const leaf = await known
    if (leaf.renewAt > Date.now()) return leaf
    // Another call may have renewed it in the meantime.
    const latest = cached.get(hostname)
    return latest === undefined || latest === known ? remember(hostname) : latest
  }

  return { leafFor: current }
}

const isBelow = (hostname: string, domain: string): boolean =>
  hostname === domain || hostname.endsWith(`.${domain}`)

/** Undefined for what this authority did not sign, or what cannot be read: it is issued anew. */
function parseLeaf(pem: string, issuer: X509Certificate): Leaf | undefined {
  try {
    const certificate = new X509Certificate(pem)
    if (!certificate.verify(issuer.publicKey)) return undefined
    return {
      pem,
      context: createSecureContext({ cert: pem, key: pem, ...TLS_SETTINGS }),
      renewAt: certificate.validToDate.getTime() - RENEWED_DAYS_BEFORE * DAY_MS,
    }
  } catch {
    return undefined
  }
}

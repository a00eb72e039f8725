import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { Logger } from 'pino'
import { CannotStart } from '../lib/cannot-start.ts'
import type { ServerCertificate } from './tls-listener.ts'
import { TLS_SETTINGS } from './tls-settings.ts'

/** Absolute paths of PEM files: the server's certificate with those that signed it, and its key. */
export interface CertificateFiles {
  readonly chainFile: string
  readonly keyFile: string
}

export interface CertificateStatus {
  readonly chainFile: string
  /** As the certificate has them, wildcards included. */
  readonly names: readonly string[]
  /** ISO 8601. */
  readonly expiresAt: string
  /** Why it should be replaced, or why what replaced it in the file is not used. */
  readonly problem?: string
}

/** The certificates that the operator brought. */
export interface OwnCertificates {
  /** The first that has the name (lower case). */
  certificateFor(hostname: string): ServerCertificate | undefined
  list(): readonly CertificateStatus[]
  close(): void
}

interface Loaded extends ServerCertificate {
  readonly leaf: X509Certificate
}

interface Entry {
  readonly files: CertificateFiles
  loaded: Loaded
  /** Of the files when they were last read. */
  stamp: string
  problem?: string
}

const CHECKED_EVERY_MS = 5000

/**
 * Reads the certificates, and again whenever their files change; connections stay. One that cannot be used does not
 * replace the one before it.
 *
 * @throws CannotStart where one of them cannot be used at all
 */
export async function openOwnCertificates(
  files: readonly CertificateFiles[],
  options: { readonly log: Pick<Logger, 'info' | 'warn'>; readonly checkedEveryMs?: number },
): Promise<OwnCertificates> {
  const { log, checkedEveryMs = CHECKED_EVERY_MS } = options
  const entries = await Promise.all(files.map(openEntry))
  for (const entry of entries) tellExpiry(entry)

  function tell(entry: Entry, problem: string): void {
    entry.problem = problem
    log.warn({ chainFile: entry.files.chainFile, problem }, 'a certificate needs attention')
  }

  function tellExpiry(entry: Entry): void {
    if (entry.problem === undefined && hasExpired(entry.loaded)) tell(entry, expiryOf(entry.loaded))
  }

  async function check(entry: Entry): Promise<void> {
    const stamp = await stampOf(entry.files)
    if (stamp === entry.stamp) return tellExpiry(entry)
    entry.stamp = stamp
    try {
      const loaded = await load(entry.files)
      if (hasExpired(loaded)) throw new Error(expiryOf(loaded))
      entry.loaded = loaded
      delete entry.problem
      const { chainFile } = entry.files
      log.info({ chainFile, names: namesOf(loaded.leaf) }, 'certificate replaced')
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      tell(entry, `the new one is not used, the one before stays: ${reason}`)
    }
  }

  let isChecking = false
  const timer = setInterval(async () => {
    if (isChecking) return
    isChecking = true
    await Promise.all(entries.map(check))
    isChecking = false
  }, checkedEveryMs)
  timer.unref()

  return {
    certificateFor: (hostname) =>
      entries.find(({ loaded }) => loaded.leaf.checkHost(hostname, { subject: 'never' }))?.loaded,
    list: () =>
      entries.map(({ files: { chainFile }, loaded: { leaf }, problem }) => ({
        chainFile,
        names: namesOf(leaf),
        expiresAt: leaf.validToDate.toISOString(),
        ...(problem !== undefined && { problem }),
      })),
    close: () => clearInterval(timer),
  }
}

async function openEntry(files: CertificateFiles): Promise<Entry> {
  const stamp = await stampOf(files)
  try {
    return { files, stamp, loaded: await load(files) }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CannotStart(
      `The certificate ${files.chainFile} with the key ${files.keyFile} cannot be used: ${reason}. Mend or remove that entry of 'certificates'.`,
      { cause: error },
    )
  }
}

/** @throws Error whose message says what is wrong with them */
async function load({ chainFile, keyFile }: CertificateFiles): Promise<Loaded> {
  const [chain, key] = await Promise.all([readFile(chainFile, 'utf8'), readFile(keyFile, 'utf8')])
  const leaf = new X509Certificate(chain)
  if (!leaf.checkPrivateKey(createPrivateKey(key))) {
    throw new Error('the key belongs to another certificate')
  }
  if (namesOf(leaf).length === 0) throw new Error('the certificate has no host name')
  const context = createSecureContext({ cert: chain, key, ...TLS_SETTINGS })
  return { leaf, context, pem: `${chain.trimEnd()}\n${key}` }
}

/** Differs when one of the files is another, also where a link was turned to another one. */
async function stampOf({ chainFile, keyFile }: CertificateFiles): Promise<string> {
  const stamps = [chainFile, keyFile].map((file) =>
    stat(file).then(
      ({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`,
      () => 'absent',
    ),
  )
  return (await Promise.all(stamps)).join(', ')
}

const namesOf = (leaf: X509Certificate): readonly string[] =>
  [...(leaf.subjectAltName ?? '').matchAll(/DNS:([^,\s]+)/g)].flatMap(([, name]) => name ?? [])

const hasExpired = ({ leaf }: Loaded): boolean => leaf.validToDate.getTime() <= Date.now()

const expiryOf = ({ leaf }: Loaded): string =>
  `it expired on ${leaf.validToDate.toISOString().slice(0, 10)}`

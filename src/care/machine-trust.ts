import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { readIfPresent, replaceFile } from '../lib/durable-file.ts'
import { exists } from '../lib/exists.ts'
import { systemBundles } from '../places/trust-store.ts'

/** How a machine is told to trust an authority, or not to any more: by a file of its own, and a tool that reads it. */
export interface MachineTrust {
  /** PEM, of this data folder alone. */
  readonly file: string
  /** Makes the tool notice the file that is there. */
  take(): Promise<void>
  /** Makes the tool notice that the file is gone. */
  leave(): Promise<void>
}

interface Tool {
  readonly name: string
  readonly folder: string
  readonly extension: string
  readonly take: (program: string) => Promise<void>
  readonly leave: (program: string, file: string) => Promise<void>
}

const CERTIFICATES_CONF = '/etc/ca-certificates.conf'

const DEBIAN: Tool = {
  name: 'update-ca-certificates',
  folder: '/usr/local/share/ca-certificates',
  extension: 'crt',
  take: (program) => run(program),
  // It forgets a file that is gone, but neither its links nor what hooks made of it, as that of Java does; unless the
  // list of certificates says so.
  async leave(program, file) {
    const folder = await mkdtemp(join(tmpdir(), 'causeway-trust-'))
    try {
      const list = join(folder, 'ca-certificates.conf')
      const usual = (await readIfPresent(CERTIFICATES_CONF)) ?? ''
      await writeFile(list, `${usual.replace(/\n?$/, '\n')}!${basename(file)}\n`)
      await run(program, '--certsconf', list)
    } finally {
      await rm(folder, { recursive: true })
    }
  },
}

const FEDORA: Tool = {
  name: 'update-ca-trust',
  folder: '/etc/pki/ca-trust/source/anchors',
  extension: 'pem',
  take: (program) => run(program, 'extract'),
  leave: (program) => run(program, 'extract'),
}

// Never what a PATH leads to: it runs as root.
const FOLDERS_OF_TOOLS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** Undefined where the machine has neither of the tools. `mark` is the data folder's. */
export async function findMachineTrust(mark: string): Promise<MachineTrust | undefined> {
  for (const { name, folder, extension, take, leave } of [DEBIAN, FEDORA]) {
    for (const place of FOLDERS_OF_TOOLS) {
      const program = join(place, name)
      if (!(await exists(folder)) || !(await exists(program))) continue
      const file = join(folder, `causeway-${mark}.${extension}`)
      return { file, take: () => take(program), leave: () => leave(program, file) }
    }
  }
  return undefined
}

async function run(program: string, ...args: readonly string[]): Promise<void> {
  await promisify(execFile)(program, args)
}

/** Whether every program that reads the machine's trust store trusts this certificate, PEM. */
export async function isTrusted(certificate: string): Promise<boolean> {
  const wanted = new X509Certificate(certificate).fingerprint256
  for (const bundle of systemBundles()) {
    const text = await readFile(bundle, 'utf8')
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
    if (blocks.some((block) => fingerprintOf(block) === wanted)) return true
  }
  return false
}

function fingerprintOf(block: string): string | undefined {
  try {
    return new X509Certificate(block).fingerprint256
  } catch {
    // Somebody else's certificate, which this Node cannot read.
    return undefined
  }
}

/** Adds the certificate, or replaces the one of before; a failure leaves what was there. */
export async function trust(store: MachineTrust, certificate: string): Promise<void> {
  const before = await readIfPresent(store.file)
  await replaceFile(store.file, certificate, 0o644)
  try {
    await store.take()
    if (!(await isTrusted(certificate))) throw new Error('the tool did not take it up')
  } catch (error) {
    const undone =
      before === undefined
        ? distrust(store)
        : replaceFile(store.file, before, 0o644).then(() => store.take())
    await undone.catch(() => {})
    throw error
  }
}

/** Takes the certificate away again. Returns whether there was one. */
export async function distrust(store: MachineTrust): Promise<boolean> {
  if (!(await exists(store.file))) return false
  await rm(store.file)
  await store.leave()
  return true
}

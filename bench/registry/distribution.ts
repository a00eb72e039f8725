import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { issueAuthority, issueLeaf } from '../../src/front/issue-certificate.ts'
import { hexOf } from '../../src/lib/digest.ts'
import { descendantsOf } from '../process-figures.ts'
import { startClient } from './client.ts'
import type { Started } from './target.ts'

/**
 * Debian's docker-registry as its own configuration has it (descriptors cached in memory, files on disk), but for
 * what would cost it time: no password, no log of requests.
 */
export async function startDistribution(transport: 'plain' | 'tls'): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'cw-distribution-'))
  const content = join(folder, 'content')
  await mkdir(content)
  const config = {
    version: 0.1,
    log: { level: 'info', accesslog: { disabled: true } },
    storage: {
      cache: { blobdescriptor: 'inmemory' },
      filesystem: { rootdirectory: content },
      delete: { enabled: true },
    },
    http: {
      addr: '127.0.0.1:0',
      ...(transport === 'tls' && { tls: await writeCertificate(folder) }),
    },
  }
  // JSON is YAML.
  await writeFile(join(folder, 'config.yml'), JSON.stringify(config))
  const child = spawn('docker-registry', ['serve', join(folder, 'config.yml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, OTEL_TRACES_EXPORTER: 'none' },
  })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve())
  })
  const kill = () => void child.kill('SIGTERM')
  process.once('exit', kill)
  const stop = async () => {
    kill()
    await ended
    process.off('exit', kill)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const port = await Promise.race([portOf(child.stderr), ended.then(() => undefined)])
    if (port === undefined) throw new Error('docker-registry has ended')
    const client = startClient({
      origin: `${transport === 'tls' ? 'https' : 'http'}://127.0.0.1:${port}`,
    })
    const blobs = join(content, 'docker/registry/v2/blobs/sha256')
    const target = {
      name: transport === 'tls' ? ('distribution' as const) : ('distribution-plain' as const),
      client,
      processes: () => descendantsOf(child.pid ?? 0),
      async drop(digest: string) {
        const hex = hexOf(digest as `sha256:${string}`)
        await rm(join(blobs, hex.slice(0, 2), hex, 'data'), { force: true })
      },
    }
    return {
      targets: [target],
      async end() {
        await client.end()
        await stop()
      },
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function writeCertificate(folder: string) {
  const authority = await issueAuthority('Authority of a measurement', {
    domains: ['localhost'],
    excludedDomains: [],
    addresses: ['127.0.0.1'],
  })
  const leaf = await issueLeaf(authority, { domains: ['localhost'], addresses: ['127.0.0.1'] })
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')]
  await writeFile(certificate, leaf.certificate)
  await writeFile(key, leaf.key)
  return { certificate, key }
}

/** Reads the log to its end, so that it never fills its pipe. */
function portOf(log: NodeJS.ReadableStream): Promise<number> {
  return new Promise((resolve) => {
    createInterface({ input: log }).on('line', (line) => {
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1]
      if (port !== undefined) resolve(Number(port))
    })
  })
}

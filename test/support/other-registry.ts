import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { digestOf } from '../../src/lib/digest.ts'
import { startTlsServer } from './tls-server.ts'

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json'

/** A registry that is not Causeway's, behind TLS, for whoever has the password. */
export interface OtherRegistry {
  /** `127.0.0.1:port`. */
  readonly host: string
  /** PEM. */
  readonly authorityFile: string
  readonly credentials: { readonly username: string; readonly password: string }
  /** Paths that were asked for with the password. */
  readonly asked: readonly string[]
  /** Lets requests whose path contains the text wait until the returned function is called; the promise is of the first. */
  hold(part: string): { readonly reached: Promise<void>; release(): void }
  /** From now on every request is answered with this status, or served again. */
  answer(status: number | 'as it is'): void
  /** Pushes an image of one layer. */
  push(
    repository: string,
    tag: string,
    layer: Buffer,
  ): Promise<{ readonly layer: string; readonly config: string }>
  close(): Promise<void>
}

/** Starts Debian's docker-registry and a proxy before it that speaks TLS and asks for a password. */
export async function startOtherRegistry(): Promise<OtherRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-other-'))
  const config = {
    version: 0.1,
    storage: { filesystem: { rootdirectory: join(folder, 'content') } },
    http: { addr: '127.0.0.1:0' },
  }
  // JSON is YAML.
  await writeFile(join(folder, 'config.yml'), JSON.stringify(config))
  const child = spawn('docker-registry', ['serve', join(folder, 'config.yml')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, OTEL_TRACES_EXPORTER: 'none' },
  })
  const stop = () => void child.kill('SIGTERM')
  process.once('exit', stop)
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const port = await portOf(child.stderr)

  const credentials = { username: 'somebody', password: 'open sesame' }
  const expected = `Basic ${Buffer.from('somebody:open sesame').toString('base64')}`
  const asked: string[] = []
  let refusal: number | 'as it is' = 'as it is'
  const holds: { part: string; reach: () => void; released: Promise<void> }[] = []
  const proxy = await startTlsServer(async (request: IncomingMessage, response: ServerResponse) => {
    if (request.headers.authorization !== expected) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="other"' }).end()
      return
    }
    asked.push(request.url ?? '')
    if (refusal !== 'as it is') {
      response.writeHead(refusal).end()
      return
    }
    for (const hold of holds) {
      if (!request.url?.includes(hold.part)) continue
      hold.reach()
      await hold.released
    }
    forward(request, response, port)
  })
  const authorityFile = join(folder, 'authority.pem')
  await writeFile(authorityFile, proxy.authority)

  const send = async (method: string, url: string, body?: Buffer | string, type?: string) => {
    const answer = await fetch(new URL(url, `http://127.0.0.1:${port}`), {
      method,
      ...(body !== undefined && { body }),
      headers: { 'content-type': type ?? 'application/octet-stream' },
    })
    assert.ok(answer.ok, `${method} ${url}: ${answer.status} ${await answer.text()}`)
    return answer.headers
  }
  const pushBlob = async (repository: string, bytes: Buffer, mediaType: string) => {
    const digest = digestOf(bytes)
    const begun = await send('POST', `/v2/${repository}/blobs/uploads/`)
    await send('PUT', `${begun.get('location')}&digest=${digest}`, bytes)
    return { mediaType, digest, size: bytes.length }
  }

  return {
    host: `127.0.0.1:${proxy.port}`,
    authorityFile,
    credentials,
    asked,
    hold(part) {
      const { promise: reached, resolve: reach } = Promise.withResolvers<void>()
      const { promise: released, resolve: release } = Promise.withResolvers<void>()
      holds.push({ part, reach, released })
      return { reached, release }
    },
    answer(status) {
      refusal = status
    },
    async push(repository, tag, bytes) {
      const layer = await pushBlob(
        repository,
        bytes,
        'application/vnd.docker.image.rootfs.diff.tar.gzip',
      )
      const config = await pushBlob(
        repository,
        Buffer.from('{"architecture":"arm64","os":"linux"}'),
        'application/vnd.docker.container.image.v1+json',
      )
      const manifest = { schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] }
      await send('PUT', `/v2/${repository}/manifests/${tag}`, JSON.stringify(manifest), MANIFEST)
      return { layer: layer.digest, config: config.digest }
    },
    async close() {
      await proxy.close()
      stop()
      await ended
      process.off('exit', stop)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function forward(request: IncomingMessage, response: ServerResponse, port: number): void {
  const { url, method, headers } = request
  const { authorization: _ours, ...kept } = headers
  const onward = httpRequest({ host: '127.0.0.1', port, path: url, method, headers: kept })
  onward.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
  })
  onward.once('error', () => response.destroy())
  response.once('close', () => onward.destroy())
  onward.end()
}

/** Reads the log to its end, so that it never fills its pipe. */
function portOf(log: NodeJS.ReadableStream): Promise<number> {
  return new Promise((resolve, reject) => {
    const seen: string[] = []
    const lines = createInterface({ input: log })
    lines.on('line', (line) => {
      seen.push(line)
      const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1]
      if (port !== undefined) resolve(Number(port))
    })
    lines.once('close', () => reject(new Error(`docker-registry has ended:\n${seen.join('\n')}`)))
  })
}

import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { digestOf, hexOf } from '../lib/digest.ts'
import { buildSampleImage } from './samples/sample-image.ts'
import { startRegistry } from './testing/registry-fixture.ts'

const run = promisify(execFile)

/** Writes the sample image as an OCI image layout. */
async function writeLayout(folder: string): Promise<void> {
  const { blobs, manifests } = buildSampleImage()
  const contents = [...blobs, ...manifests.map((manifest) => manifest.content)]
  await mkdir(join(folder, 'blobs', 'sha256'), { recursive: true })
  for (const bytes of contents) {
    await writeFile(join(folder, 'blobs', 'sha256', hexOf(digestOf(bytes))), bytes)
  }
  await writeFile(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  const index = manifests.at(-1)
  const descriptor = {
    mediaType: index?.mediaType,
    digest: index?.digest,
    size: index?.content.length,
    annotations: { 'org.opencontainers.image.ref.name': 'latest' },
  }
  await writeFile(
    join(folder, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }),
  )
}

function hasSkopeo(): boolean {
  try {
    execFileSync('skopeo', ['--version'])
    return true
  } catch {
    return false
  }
}

test('skopeo pushes, copies, lists, inspects, pulls and deletes', {
  skip: !hasSkopeo() && 'skopeo is not installed',
}, async (t) => {
  const registry = await startRegistry(t)
  const folder = await mkdtemp(join(tmpdir(), 'causeway-skopeo-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const layout = join(folder, 'layout')
  await writeLayout(layout)
  const at = (image: string) => `docker://${registry.address}/${image}`
  const credentials = 'app-owner:secret'
  const skopeo = async (...parameters: string[]) => {
    const env = { PATH: process.env.PATH, HOME: folder, REGISTRY_AUTH_FILE: join(folder, 'auth') }
    const { stdout } = await run('skopeo', ['--insecure-policy', ...parameters], { env })
    return stdout
  }
  const to = ['--dest-tls-verify=false', '--dest-creds', credentials]
  const from = ['--src-tls-verify=false', '--src-creds', credentials]
  const one = ['--tls-verify=false', '--creds', credentials]

  // Whole index, byte for byte; then one image, which skopeo compresses and sends as a stream.
  await skopeo('copy', '--all', '--preserve-digests', ...to, `oci:${layout}:latest`, at('hello:v1'))
  await skopeo('copy', ...to, `oci:${layout}:latest`, at('hello:streamed'))
  await skopeo('copy', '--all', ...from, ...to, at('hello:v1'), at('team/copy:v1'))
  assert.deepEqual(JSON.parse(await skopeo('list-tags', ...one, at('hello'))).Tags, [
    'streamed',
    'v1',
  ])
  const raw = await skopeo('inspect', '--raw', ...one, at('team/copy:v1'))
  assert.equal(digestOf(Buffer.from(raw)), buildSampleImage().manifests.at(-1)?.digest)

  const pulled = join(folder, 'pulled')
  await skopeo('copy', '--all', ...from, at('team/copy:v1'), `dir:${pulled}`)
  for (const bytes of buildSampleImage().blobs) {
    assert.ok((await readFile(join(pulled, hexOf(digestOf(bytes))))).equals(bytes))
  }
  // What forbids a push is told to who pushes, in its own words.
  const pushOther = () => skopeo('copy', ...to, `oci:${layout}:latest`, at('team/copy:v1'))
  registry.facts = { ...registry.facts, immutableTagsIn: ['team/*'] }
  await assert.rejects(pushOther(), /denied: tag 'v1' of 'team\/copy' stays on sha256:/)
  registry.facts = { ...registry.facts, immutableTagsIn: [] }
  const lock = { body: '{"writeEnabled":false}' }
  await registry.send('PATCH', '/acr/v1/team/copy/_tags/v1', lock)
  await assert.rejects(pushOther(), /The operation is disallowed on this registry/)
  await registry.send('PATCH', '/acr/v1/team/copy/_tags/v1', { body: '{"writeEnabled":true}' })
  await skopeo('delete', ...one, at('team/copy:v1'))
  await assert.rejects(skopeo('inspect', ...one, at('team/copy:v1')), /manifest unknown/)
  await assert.rejects(
    skopeo('inspect', '--tls-verify=false', '--creds', 'app-owner:wrong', at('hello:v1')),
    /unauthorized|authentication required/,
  )
  assert.deepEqual(registry.logged, [])
})

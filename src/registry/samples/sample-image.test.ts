import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { ImageCopyError } from '../copy/image-copy.ts'
import { startRegistry } from '../testing/registry-fixture.ts'
import { buildSampleImage } from './sample-image.ts'
import { SAMPLE_REGISTRY } from './sample-registry.ts'
import { buildPrinter } from './tiny-elf.ts'

const run = promisify(execFile)
const MCR = SAMPLE_REGISTRY.loginServer
const ERRAND = { who: 'a test' }
const HELLO = {
  from: { host: MCR },
  sourceImage: 'hello-world:latest',
  to: { registryUid: 'uid-1', immutableTagsIn: [] },
  targetTags: ['hello-world:latest'],
  untaggedTargetRepositories: [],
  force: false,
}

test('the sample image has the same digests on every machine', () => {
  const digests = buildSampleImage().manifests.map((manifest) => manifest.digest)
  assert.deepEqual(digests, [
    'sha256:53d4024365183030a92733d838a9056eb406c49e07ca3f630788c750e759921c',
    'sha256:aeef884d85433a92ac1477d15ee0665196647f989e66670d71fcbe5c2aa746a8',
    'sha256:5797b935e715180e386373712f2e6641fde46ca1456bfdb6112346422cd32506',
  ])
})

test('the program of the sample image runs', {
  skip: process.arch !== 'x64' && 'it is for x86-64',
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-sample-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'hello')
  await writeFile(file, buildPrinter('amd64', 'Hello from a test!\n'), { mode: 0o755 })
  assert.equal((await run(file)).stdout, 'Hello from a test!\n')
})

test('the arm64 program writes and exits by system calls 64 and 93', () => {
  const program = buildPrinter('arm64', 'hi')
  const words = Array.from({ length: 9 }, (_, index) => program.readUInt32LE(120 + index * 4))
  // As GNU objdump reads them: mov x0, #1; mov x1, #0x9c; movk x1, #0x40, lsl #16; mov x2, #2; mov x8, #64; svc #0; …
  assert.deepEqual(
    words.map((word) => word.toString(16)),
    [
      'd2800020',
      'd2801381',
      'f2a00801',
      'd2800042',
      'd2800808',
      'd4000001',
      'd2800000',
      'd2800ba8',
      'd4000001',
    ],
  )
  assert.equal(program.subarray(0x9c).toString(), 'hi')
})

test('everybody reads the sample registry, nobody writes to it', async (t) => {
  const registry = await startRegistry(t)
  await registry.plane.seed()
  await registry.plane.seed()
  const ask = { host: MCR, authorization: '' }
  assert.equal((await registry.send('GET', '/v2/', ask)).status, 200)
  const index = await registry.send('GET', '/v2/mcr/hello-world/manifests/v1', ask)
  assert.equal(index.status, 200)
  const pushed = await registry.send('POST', '/v2/hello-world/blobs/uploads/', ask)
  assert.deepEqual([pushed.status, pushed.code], [403, 'DENIED'])
  const deleted = await registry.send('DELETE', '/v2/hello-world/manifests/latest', ask)
  assert.equal(deleted.status, 403)
})

test('an import brings the index with its images, and a second one needs force', async (t) => {
  const registry = await startRegistry(t)
  await registry.plane.seed()
  await registry.plane.copyImage({ ...HELLO, untaggedTargetRepositories: ['team/hello'] }, ERRAND)
  const index = await registry.send('GET', '/v2/hello-world/manifests/latest')
  const manifests = index.json().manifests as { digest: string }[]
  assert.equal(manifests.length, 2)
  for (const { digest } of manifests) {
    const image = await registry.send('GET', `/v2/team/hello/manifests/${digest}`)
    const [layer] = image.json().layers as { digest: string; size: number }[]
    const blob = await registry.send('GET', `/v2/team/hello/blobs/${layer?.digest}`)
    assert.equal(blob.body.length, layer?.size)
  }
  const described = await registry.send(
    'GET',
    `/acr/v1/hello-world/_manifests/${manifests[1]?.digest}`,
  )
  assert.equal((described.json().manifest as { architecture: string }).architecture, 'arm64')
  await assert.rejects(registry.plane.copyImage(HELLO, ERRAND), {
    code: 'target-exists',
    message: 'Tag hello-world:latest already exists in target registry.',
  })
  await registry.plane.copyImage({ ...HELLO, force: true }, ERRAND)
  await registry.plane.retain([])
  assert.equal(await registry.plane.storedBytes('uid-1'), 0)
  assert.equal((await registry.send('GET', '/v2/', { host: MCR, authorization: '' })).status, 200)
})

for (const [name, change, code] of [
  ['of a tag that is not there', { sourceImage: 'hello-world:v9' }, 'source-unknown'],
  ['of a name that is none', { sourceImage: 'Hello World' }, 'source-unknown'],
  ['to a name that is none', { targetTags: ['Hello World'] }, 'source-not-allowed'],
] as const) {
  test(`an import ${name} is refused and leaves nothing`, async (t) => {
    const registry = await startRegistry(t)
    await registry.plane.seed()
    await assert.rejects(
      registry.plane.copyImage({ ...HELLO, ...change }, ERRAND),
      (error) => error instanceof ImageCopyError && error.code === code,
    )
    assert.deepEqual((await registry.send('GET', '/v2/_catalog')).json(), { repositories: [] })
  })
}

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { type Containerd, startContainerd } from './support/containerd.ts'
import { startDockerEngine } from './support/docker-engine.ts'
import { needs } from './support/needs.ts'
import { createLayout, type OciLayout } from './support/oci-layout.ts'
import {
  adminOf,
  connect,
  makeGroup,
  makeNetwork,
  makeRegistry,
  setPublicAccess,
} from './support/private-registry.ts'
import { succeeded } from './support/run.ts'

const network = { vnet: 'yard' }
const HOST = 'clienthouse.azurecr.io'
const GIB = 2 ** 30
const LARGE_BYTES = Number(process.env.CAUSEWAY_LARGE_LAYER_GIB ?? 1) * GIB
/** Far less than one large layer, and more than a server needs that holds none of it. */
const MEMORY_MAX = 400 * 2 ** 20
const COMPRESSIONS = ['none', 'gzip', 'zstd'] as const

/** What is pushed, and the digest under which it must come back. */
const IMAGES = ['single', 'platforms', 'hundred', ...COMPRESSIONS] as const

describe('clients bring images to a registry in their network and take them out again', {
  ...needs('root', 'ip', 'docker', 'skopeo', 'podman', 'umoci', 'curl'),
  timeout: 900_000,
}, () => {
  let causeway: Causeway
  let containerd: Containerd
  let folder: string
  let layout: OciLayout
  let admin: { readonly username: string; readonly password: string }
  const digests = new Map<string, string>()

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'causeway-clients-'))
    causeway = await startCauseway()
    const arm = await createArmClient(causeway)
    const group = await makeGroup(arm, 'clients')
    const registry = await makeRegistry(arm, group, 'clienthouse')
    admin = await adminOf(arm, registry)
    await connect(arm, await makeNetwork(arm, group, network.vnet), registry)
    await setPublicAccess(arm, registry, 'Disabled')
    containerd = await startContainerd(causeway, network)
    layout = await buildImages(join(folder, 'layout'))
    succeeded(
      await inside(
        'skopeo',
        ['login', '--username', admin.username, '--password-stdin', HOST],
        admin.password,
      ),
    )
  })
  after(async () => {
    await containerd?.stop()
    await causeway?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  const inside = (command: string, args: readonly string[], input?: string) =>
    causeway.inPlace(network, [command, ...args], {
      root: true,
      timeoutSeconds: 600,
      ...(input !== undefined && { input }),
    })

  async function buildImages(where: string): Promise<OciLayout> {
    const made = await createLayout(where)
    const image = async (name: string, ...layers: Parameters<OciLayout['image']>[0][number][]) => {
      const descriptor = await made.image(layers)
      await made.tag(name, descriptor)
      digests.set(name, descriptor.digest)
    }
    await image('single', await made.layer('one', 'one'))
    const layers = Array.from({ length: 100 }, (_, index) => made.layer(`f${index}`, `${index}`))
    await image('hundred', ...(await Promise.all(layers)))
    for (const compression of COMPRESSIONS) {
      await image(compression, await made.layer('packed', 'x'.repeat(10_000), compression))
    }
    const platforms = await Promise.all(
      ['amd64', 'arm64'].map(async (architecture) =>
        made.image([await made.layer('arch', architecture)], architecture),
      ),
    )
    const index = await made.index(platforms)
    await made.tag('platforms', index)
    digests.set('platforms', index.digest)
    return made
  }

  const digestOf = async (reference: string): Promise<string> => {
    const raw = succeeded(await inside('skopeo', ['inspect', '--raw', `docker://${reference}`]))
    return `sha256:${createHash('sha256').update(raw).digest('hex')}`
  }

  for (const name of IMAGES) {
    test(`skopeo: ${name}, and every byte is the one that was sent`, async () => {
      const reference = `${HOST}/skopeo/${name}:v1`
      const copy = join(folder, `copy-${name}`)
      const flags = ['--all', '--preserve-digests']
      succeeded(
        await inside('skopeo', [
          ...['copy', ...flags, `oci:${layout.folder}:${name}`, `docker://${reference}`],
        ]),
      )
      assert.equal(await digestOf(reference), digests.get(name))
      succeeded(
        await inside('skopeo', ['copy', ...flags, `docker://${reference}`, `oci:${copy}:v1`]),
      )
      for (const hex of await readdir(join(copy, 'blobs', 'sha256'))) {
        const bytes = await readFile(join(copy, 'blobs', 'sha256', hex))
        assert.equal(createHash('sha256').update(bytes).digest('hex'), hex)
      }
    })

    test(`containerd: ${name}`, async () => {
      const [from, to] = [`${HOST}/skopeo/${name}:v1`, `${HOST}/containerd/${name}:v1`]
      const user = ['--user', `${admin.username}:${admin.password}`]
      const ctr = (...args: readonly string[]) => containerd.ctr(args, { timeoutSeconds: 300 })
      // Content alone: what a snapshotter makes of it is no matter of the registry's.
      succeeded(await ctr('content', 'fetch', '--all-platforms', ...user, from))
      succeeded(await ctr('images', 'tag', from, to))
      succeeded(await ctr('images', 'push', ...user, to))
      assert.equal(await digestOf(to), digests.get(name))
    })
  }

  test('Docker Engine: what it pulls it pushes again', async () => {
    const engine = await startDockerEngine(causeway, network)
    try {
      const docker = (...args: readonly string[]) => engine.docker(args, { timeoutSeconds: 300 })
      const credentials = ['--username', admin.username, '--password-stdin', HOST]
      succeeded(await engine.docker(['login', ...credentials], { input: admin.password }))
      for (const name of ['single', 'platforms', 'hundred', 'gzip', 'zstd']) {
        const [from, to] = [`${HOST}/skopeo/${name}:v1`, `${HOST}/docker/${name}:v1`]
        succeeded(await docker('pull', '--quiet', from))
        succeeded(await docker('tag', from, to))
        succeeded(await docker('push', '--quiet', to))
        succeeded(await docker('rmi', from, to))
        succeeded(await docker('pull', '--quiet', to))
      }
    } finally {
      await engine.stop()
    }
  })

  test('podman: what it pulls it pushes again', async () => {
    const storage = join(folder, 'podman')
    const podman = (...args: readonly string[]) =>
      inside('podman', [
        ...['--root', join(storage, 'root'), '--runroot', join(storage, 'run')],
        ...['--tmpdir', join(storage, 'tmp')],
        ...['--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', ...args],
      ])
    const credentials = ['--creds', `${admin.username}:${admin.password}`]
    for (const name of ['single', 'zstd', 'hundred']) {
      const [from, to] = [`${HOST}/skopeo/${name}:v1`, `${HOST}/podman/${name}:v1`]
      succeeded(await podman('pull', '--quiet', ...credentials, from))
      succeeded(await podman('tag', from, to))
      succeeded(await podman('push', '--quiet', ...credentials, to))
      succeeded(await podman('rmi', to, from))
      const id = succeeded(await podman('pull', '--quiet', ...credentials, to)).trim()
      assert.match(id, /^[0-9a-f]{64}$/)
      succeeded(await podman('rmi', to))
    }
  })

  test('umoci: unpacks what came out, adds a layer, and finds it in what comes out again', async () => {
    const local = join(folder, 'umoci')
    const bundle = join(folder, 'bundle')
    const umoci = (...args: readonly string[]) => inside('umoci', args)
    const copy = async (from: string, to: string) =>
      succeeded(await inside('skopeo', ['copy', from, to]))
    await copy(`docker://${HOST}/skopeo/hundred:v1`, `oci:${local}:v1`)
    succeeded(await umoci('unpack', '--image', `${local}:v1`, bundle))
    assert.equal(await readFile(join(bundle, 'rootfs', 'f99'), 'utf8'), '99')
    await writeFile(join(bundle, 'rootfs', 'added'), 'by umoci')
    succeeded(await umoci('repack', '--image', `${local}:v2`, bundle))
    await copy(`oci:${local}:v2`, `docker://${HOST}/umoci/hundred:v2`)
    const back = join(folder, 'umoci-back')
    await copy(`docker://${HOST}/umoci/hundred:v2`, `oci:${back}:v2`)
    succeeded(await umoci('unpack', '--image', `${back}:v2`, `${bundle}-back`))
    assert.equal(await readFile(join(`${bundle}-back`, 'rootfs', 'added'), 'utf8'), 'by umoci')
    assert.equal(await readFile(join(`${bundle}-back`, 'rootfs', 'f42'), 'utf8'), '42')
  })

  test('artifacts that refer to an image are listed with it, and filtered by what they are', async () => {
    const subject = String(digests.get('single'))
    const { size } = JSON.parse(await readFile(join(layout.folder, 'index.json'), 'utf8'))
      .manifests[0] as { size: number }
    const credentials = ['--user', `${admin.username}:${admin.password}`]
    const base = `https://${HOST}/v2/skopeo/single`
    const curl = async (...args: readonly string[]) =>
      succeeded(await inside('curl', ['-sSf', '--http1.1', ...credentials, ...args]))
    const empty = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
    await curl('-X', 'POST', `${base}/blobs/uploads/?digest=${empty}`, '--data-binary', '{}')
    const manifest = 'application/vnd.oci.image.manifest.v1+json'
    const types = ['application/vnd.dev.cosign.artifact.sig.v1+json', 'application/spdx+json']
    for (const artifactType of types) {
      const nothing = { mediaType: 'application/vnd.oci.empty.v1+json', digest: empty, size: 2 }
      const artifact = JSON.stringify({
        schemaVersion: 2,
        mediaType: manifest,
        artifactType,
        config: nothing,
        layers: [nothing],
        subject: { mediaType: manifest, digest: subject, size },
      })
      const digest = createHash('sha256').update(artifact).digest('hex')
      const head = await curl(
        ...['-D', '-', '-X', 'PUT', '-H', `Content-Type: ${manifest}`],
        ...[`${base}/manifests/sha256:${digest}`, '--data-binary', artifact],
      )
      assert.match(head, new RegExp(`^oci-subject: ${subject}`, 'im'))
    }
    const typesOf = (text: string): readonly string[] =>
      (JSON.parse(text) as { manifests: { artifactType: string }[] }).manifests
        .map(({ artifactType }) => artifactType)
        .sort()
    assert.deepEqual(typesOf(await curl(`${base}/referrers/${subject}`)), types.toSorted())
    const filtered = await curl(
      '-G',
      '-i',
      `${base}/referrers/${subject}`,
      '--data-urlencode',
      `artifactType=${types[0]}`,
    )
    assert.match(filtered, /^oci-filters-applied: artifactType/im)
    assert.deepEqual(typesOf(filtered.slice(filtered.indexOf('{'))), [types[0]])
  })

  test(`a layer of ${LARGE_BYTES / GIB} GiB goes in and out, and the server's memory stays as it is`, async () => {
    const large = await layout.largeLayer('large', LARGE_BYTES)
    const image = await layout.image([large])
    await layout.tag('large', image)
    const reference = `docker://${HOST}/skopeo/large:v1`
    succeeded(await inside('skopeo', ['copy', `oci:${layout.folder}:large`, reference]))
    const back = join(folder, 'large')
    succeeded(await inside('skopeo', ['copy', reference, `dir:${back}`]))
    await rm(back, { recursive: true })
    const status = await readFile(`/proc/${causeway.serverPid()}/status`, 'utf8')
    const peak = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024
    assert.ok(peak < MEMORY_MAX, `${Math.round(peak / 2 ** 20)} MiB at most`)
  })
})

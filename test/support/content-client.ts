import assert from 'node:assert/strict'
import type { Chance } from './crash/seeded-random.ts'
import { type LoopbackRegistry, sha256 } from './loopback-registry.ts'

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
/** Pushes that the collector takes a layer from are begun again; with no grace that happens. */
const ATTEMPTS_MAX = 200

interface Image {
  readonly digest: string
  readonly blobs: readonly string[]
}

/** One client with a repository of its own, which knows what must be in it. */
export interface ContentClient {
  /** Does one thing: push, pull, move a tag, delete a tag or a manifest. */
  act(): Promise<void>
  /** Pulls every manifest that there must be, with all its blobs. */
  pullAll(): Promise<void>
  deleteAll(): Promise<void>
  /** Digests of the blobs that its manifests need. */
  needed(): readonly string[]
  readonly pushes: number
  /** Pushes that were begun again. */
  readonly repeated: number
}

/**
 * Layers come from a pool that all clients share, so that one deletes what another pushes. What a client asked for and got
 * no answer to counts as unknown: a crash may have come before or after it.
 */
export function contentClient(options: {
  readonly registry: () => LoopbackRegistry
  readonly repository: string
  /** Repositories of others, from which blobs may be had. */
  readonly neighbours: readonly string[]
  readonly layers: readonly Buffer[]
  readonly chance: Chance
}): ContentClient {
  const { registry, repository, neighbours, layers, chance } = options
  const manifests = new Map<string, Image>()
  const tags = new Map<string, string>()
  const base = `/v2/${repository}`
  let [pushes, repeated, serial] = [0, 0, 0]

  async function pushBlob(bytes: Buffer): Promise<string> {
    const digest = sha256(bytes)
    const { send } = registry()
    if ((await send('HEAD', `${base}/blobs/${digest}`)).status === 200) return digest
    // Where it is not to be had there, an upload is begun, which is left alone here.
    const mount = `${base}/blobs/uploads/?mount=${digest}&from=${chance.one(neighbours)}`
    if (chance.below(3) === 0 && (await send('POST', mount)).status === 201) return digest
    const answer = await send('POST', `${base}/blobs/uploads/?digest=${digest}`, bytes)
    assert.equal(answer.status, 201, `push of a blob: ${answer.body.toString()}`)
    return digest
  }

  async function push(tag: string): Promise<void> {
    serial += 1
    const config = Buffer.from(JSON.stringify({ repository, serial, salt: chance.below(1e9) }))
    const content = [config, chance.one(layers), chance.one(layers)]
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const digests: string[] = []
      for (const bytes of content) digests.push(await pushBlob(bytes))
      const [first, ...rest] = digests.map((digest, index) => ({
        mediaType: 'application/octet-stream',
        digest,
        size: content[index]?.length ?? 0,
      }))
      const body = Buffer.from(
        JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: first, layers: rest }),
      )
      const headers = { 'content-type': OCI_MANIFEST }
      const digest = sha256(body)
      tags.delete(tag)
      const answer = await registry().send('PUT', `${base}/manifests/${tag}`, body, headers)
      if (answer.status === 201) {
        pushes += 1
        manifests.set(digest, { digest, blobs: digests })
        tags.set(tag, digest)
        return
      }
      assert.match(answer.body.toString(), /MANIFEST_BLOB_UNKNOWN/, 'push of a manifest')
      repeated += 1
    }
    assert.fail(`a push to ${repository} never came through`)
  }

  async function pull({ digest, blobs }: Image): Promise<void> {
    const manifest = await registry().send('GET', `${base}/manifests/${digest}`)
    assert.equal(manifest.status, 200, `manifest ${digest} of ${repository}`)
    assert.equal(sha256(manifest.body), digest)
    for (const blob of blobs) {
      const answer = await registry().send('GET', `${base}/blobs/${blob}`)
      assert.equal(answer.status, 200, `blob ${blob} of ${digest} in ${repository}`)
      assert.equal(sha256(answer.body), blob)
    }
  }

  async function remove(digest: string): Promise<void> {
    manifests.delete(digest)
    for (const [tag, of] of tags) if (of === digest) tags.delete(tag)
    const answer = await registry().send('DELETE', `${base}/manifests/${digest}`)
    assert.ok([202, 404].includes(answer.status), `delete of a manifest: ${answer.status}`)
  }

  async function removeTag(tag: string): Promise<void> {
    tags.delete(tag)
    const answer = await registry().send('DELETE', `${base}/manifests/${tag}`)
    assert.ok([202, 404].includes(answer.status), `delete of a tag: ${answer.status}`)
  }

  async function act(): Promise<void> {
    const [known, named] = [[...manifests.values()], [...tags]]
    const dice = chance.below(100)
    if (known.length === 0 || dice < 40) return push(`t${chance.below(6)}`)
    if (dice < 65) return pull(chance.one(known))
    if (dice < 90) return remove(chance.one(known).digest)
    const [tag, digest] = chance.one(named) ?? []
    if (tag === undefined || digest === undefined) return push('t0')
    const seen = await registry().send('GET', `${base}/manifests/${tag}`)
    assert.equal(seen.headers['docker-content-digest'], digest, `tag ${tag} of ${repository}`)
    return removeTag(tag)
  }

  return {
    act,
    async pullAll() {
      for (const image of manifests.values()) await pull(image)
      for (const [tag, digest] of tags) {
        const answer = await registry().send('HEAD', `${base}/manifests/${tag}`)
        assert.equal(answer.headers['docker-content-digest'], digest, `tag ${tag}`)
      }
    },
    async deleteAll() {
      for (const digest of [...manifests.keys()]) await remove(digest)
    },
    needed: () => [...manifests.values()].flatMap(({ blobs }) => blobs),
    get pushes() {
      return pushes
    },
    get repeated() {
      return repeated
    },
  }
}

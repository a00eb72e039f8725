import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { OCI_MANIFEST } from '../manifests/manifest.ts'
import { type Fixture, pushImage, startRegistry } from '../testing/registry-fixture.ts'
import { createSeeded, type Seeded } from '../testing/seeded.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const SEED = Number(process.env.CAUSEWAY_COUNTERS_SEED ?? 20260101)
const STEPS = Number(process.env.CAUSEWAY_COUNTERS_STEPS ?? 250)
const REPOSITORIES = ['app', 'team/app', 'team/base', 'other']
const TAGS = ['v1', 'v2', 'latest']
const TEXTS = ['one', 'two', 'three', 'four', 'five']

/** The counters beside what they count, without what is zero. */
function counted({ database: { reader } }: Fixture) {
  const rows = (sql: string) =>
    reader
      .prepare(sql)
      .all()
      .map((row) => Object.values(row).join(' '))
  return {
    kept: [
      ...rows(
        'SELECT * FROM registry_repository_counts WHERE manifests <> 0 OR tags <> 0 ORDER BY registry, repository',
      ),
      ...rows('SELECT * FROM registry_stored_bytes WHERE bytes <> 0 ORDER BY registry'),
    ],
    counted: [
      ...rows(`SELECT registry, repository, sum(manifests), sum(tags) FROM (
        SELECT registry, repository, 1 AS manifests, 0 AS tags FROM registry_manifests
        UNION ALL SELECT registry, repository, 0, 1 FROM registry_tags)
        GROUP BY registry, repository ORDER BY registry, repository`),
      ...rows(`SELECT registry, sum(size) FROM (SELECT DISTINCT registry, digest, size FROM registry_blob_links)
        GROUP BY registry ORDER BY registry`),
    ],
  }
}

/** What may be done to a registry, each with what chance decides. */
function operations(registry: Fixture, seeded: Seeded) {
  const key = () => ({ registry: 'uid-1', repository: seeded.pick(REPOSITORIES) })
  const bodies = new Map<string, string>()
  const some = () => [...bodies.keys()][seeded.below(Math.max(1, bodies.size))]

  return {
    async push() {
      const tag = seeded.pick(TAGS)
      const { body, digest } = await pushImage(
        ...([registry, key().repository, tag, seeded.pick(TEXTS)] as const),
      )
      bodies.set(digest, body)
    },
    async retag() {
      const body = bodies.get(some() ?? '')
      if (body === undefined) return
      await registry.send('PUT', `/v2/${key().repository}/manifests/${seeded.pick(TAGS)}`, {
        body,
        headers: { 'content-type': OCI_MANIFEST },
      })
    },
    async mount() {
      const digest = digestOf(Buffer.from(`layer ${seeded.pick(TEXTS)}`))
      await registry.send('POST', `/v2/${key().repository}/blobs/uploads/?mount=${digest}`)
    },
    async linkElsewhere() {
      const text = `layer ${seeded.pick(TEXTS)}`
      const at = { ...key(), registry: 'uid-2' }
      await registry.plane.writer.linkBlob(at, digestOf(Buffer.from(text)), text.length)
    },
    async deleteBlob() {
      const digest = digestOf(Buffer.from(`layer ${seeded.pick(TEXTS)}`))
      await registry.send('DELETE', `/v2/${key().repository}/blobs/${digest}`)
    },
    async deleteTag() {
      await registry.send('DELETE', `/acr/v1/${key().repository}/_tags/${seeded.pick(TAGS)}`)
    },
    async deleteManifest() {
      await registry.send('DELETE', `/v2/${key().repository}/manifests/${some()}`)
    },
    async deleteRepository() {
      await registry.send('DELETE', `/acr/v1/${key().repository}`)
    },
    async restore() {
      const digest = some() as ReturnType<typeof digestOf> | undefined
      if (!digest) return
      await registry.plane.writer
        .restoreManifest({
          ...{ ...key(), digest, tag: seeded.pick(TAGS), force: seeded.chance(0.5) },
          ...{ deletion: 'soft', keepsTags: false },
        })
        // Most are not deleted, or their tag is another's.
        .catch((error: Error) => assert.equal(error.name, 'OciError'))
    },
    async deletePolicy() {
      registry.facts = { ...registry.facts, softDelete: { isOn: seeded.chance(0.6), days: 2 } }
    },
    async collect() {
      registry.now = new Date(registry.now.getTime() + DAY_MS)
      await registry.collector.collect({ sweeps: true, ignoresGrace: seeded.chance(0.5) })
    },
    async forgetRegistry() {
      if (seeded.chance(0.2)) await registry.plane.forgetRegistry(seeded.pick(['uid-1', 'uid-2']))
    },
  }
}

test('counters are what counting finds, after whatever is done', async (t) => {
  t.diagnostic(`CAUSEWAY_COUNTERS_SEED=${SEED}`)
  const registry = await startRegistry(t)
  const seeded = createSeeded(SEED)
  const all = operations(registry, seeded)
  const names = Object.keys(all) as (keyof typeof all)[]
  let highest = 0
  for (let step = 0; step < STEPS; step += 1) {
    const name = seeded.chance(0.4) ? 'push' : seeded.pick(names)
    await all[name]()
    const { kept, counted: found } = counted(registry)
    assert.deepEqual(kept, found, `after step ${step}, ${name}`)
    highest = Math.max(highest, found.length)
  }
  assert.ok(highest >= REPOSITORIES.length + 2, `there was hardly anything: ${highest}`)
})

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type ArmClient, accepted, createArmClient } from './support/arm-client.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { type DiskTrace, readTrace, tracing } from './support/crash/disk-trace.ts'
import { createExpectations } from './support/crash/expectations.ts'
import { loadImages, registryFrom } from './support/crash/image-load.ts'
import { chanceFrom } from './support/crash/seeded-random.ts'
import { needs } from './support/needs.ts'
import { startAgent } from './support/place-agent.ts'
import {
  connect,
  decideConnection,
  importSample,
  makeGroup,
  makeNetwork,
  makeRegistry,
} from './support/private-registry.ts'

/**
 * A loss of power takes what was written and not synced. Kept for less than a boot, made anew when it is missed, or
 * the progress of an upload that its client begins again: those may go.
 */
const MAY_BE_LOST =
  /\/(logs|places|clients|authorities\/[a-z]+-leaves)(\/|$)|-shm$|-commits$|\/run\/(lock\.db|w\d+\.lock|holder|program-|operator\.sock)|\/run$|\/uploads(\/|$)/

describe('before it acknowledges anything', {
  ...needs('places', 'ip', 'strace'),
  timeout: 180_000,
}, () => {
  let folder: string
  let causeway: Causeway
  let trace: DiskTrace

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'causeway-trace-'))
    const file = join(folder, 'calls')
    causeway = await startCauseway({ under: tracing(file) })
    const arm = await createArmClient(causeway)
    await changeMuch(arm)
    await pushMuch()
    await causeway.command(['principal', 'reset', 'test-owner'])
    await causeway.command(['down'])
    await causeway.ended()
    trace = await readTrace(file, causeway.dataFolder, (path) => MAY_BE_LOST.test(path))
  })
  after(async () => {
    await causeway?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  test('the server has it on disk, the file and the folder', () => {
    assert.ok(trace.answers > 100, `${trace.answers} answers were seen`)
    assert.deepEqual([...trace.early], [])
  })

  test('the trace saw the database, the keys, the ids and the layers go to disk', () => {
    for (const part of [
      ...[/\/causeway\.db-wal$/, /\/registry\/blobs\/sha256\/[0-9a-f]{2}$/],
      ...[/\/keys\/keys\.json\..*\.draft$/, /\/keys$/],
      ...[/\/installation\.json\..*\.draft$/, /\/run\/credential-.*\.draft$/],
    ]) {
      assert.ok(
        [...trace.synced].some((path) => part.test(path)),
        `${part}\n${[...trace.synced].join('\n')}`,
      )
    }
  })

  async function changeMuch(arm: ArmClient): Promise<void> {
    const group = await makeGroup(arm, 'power')
    const registry = await makeRegistry(arm, group, 'powerhouse')
    await importSample(arm, registry)
    const endpoint = await connect(arm, await makeNetwork(arm, group, 'power'), registry)
    await decideConnection(arm, registry, endpoint, 'Rejected')
    await arm.delete(endpoint.id)
    accepted(await arm.patch(group, { tags: { a: 'b' } }))
  }

  async function pushMuch(): Promise<void> {
    const agent = await startAgent(causeway, internet)
    const stop = new AbortController()
    try {
      const registry = await registryFrom(agent, 'powerhouse.azurecr.io')
      const expected = createExpectations()
      // One client: what another has under way is no business of this one's answers.
      const repositories = ['three']
      const [chance, { signal }] = [chanceFrom(1), stop]
      const load = loadImages({ registry, expected, chance, signal, repositories })
      const deadline = Date.now() + 30_000
      while (expected.keys().length < 3 && Date.now() < deadline) await delay(50)
      assert.equal(expected.keys().length, 3)
      stop.abort()
      await load
    } finally {
      await agent.end()
    }
  }
})

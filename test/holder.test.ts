import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { findHolder } from '../src/places/holder.ts'
import { describeDataFolder } from '../src/storage/data-folder.ts'
import { type ArmClient, accepted, createArmClient } from './support/arm-client.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { makeGroup, makeNetwork } from './support/private-registry.ts'
import { succeeded } from './support/run.ts'

const ROUNDS = 10
const NAME = 'management.azure.com'

describe('the process that holds the places', { ...needs('places'), timeout: 180_000 }, () => {
  let causeway: Causeway
  let arm: ArmClient
  let group: string

  before(async () => {
    causeway = await startCauseway()
    arm = await createArmClient(causeway)
    group = await makeGroup(arm, 'held')
    await makeNetwork(arm, group, 'lab')
  })
  after(() => causeway?.remove())

  async function killHolder(): Promise<void> {
    const { run } = await describeDataFolder(causeway.dataFolder)
    for (const deadline = Date.now() + 15_000; Date.now() < deadline; await delay(5)) {
      const holder = await findHolder(run)
      if (holder) return void process.kill(holder.pid, 'SIGKILL')
    }
    throw new Error('no other process took its place')
  }

  test('is killed, and programs that start meanwhile find their names', async () => {
    const over = new AbortController()
    const changes = (async () => {
      while (!over.signal.aborted) {
        const { id } = await makeNetwork(arm, group, 'comes-and-goes')
        accepted(await arm.delete(id))
      }
    })()
    try {
      for (let round = 0; round < ROUNDS; round++) {
        await killHolder()
        const programs = [internet, { vnet: 'lab' }].map((where) =>
          causeway.inPlace(where, ['getent', 'hosts', NAME]),
        )
        // Once more, wherever they are by then.
        await delay(Math.random() * 500)
        await killHolder()
        for (const finished of await Promise.all(programs)) {
          assert.match(succeeded(finished), new RegExp(`\\s${NAME.replaceAll('.', '\\.')}`))
        }
      }
    } finally {
      over.abort()
      await changes
    }
  })

  test('has namespaces that no program has open as files', async () => {
    const listed = succeeded(await causeway.inPlace(internet, ['sh', '-c', 'ls -l /proc/$$/fd']))
    assert.match(listed, / 2 -> /)
    assert.doesNotMatch(listed, /(net|user|mnt):/)
  })
})

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { failed, succeeded } from './support/run.ts'

describe('care for a data folder', needs('places'), () => {
  let causeway: Causeway
  let folder: string

  before(async () => {
    causeway = await startCauseway()
    folder = await mkdtemp(join(tmpdir(), 'causeway-backup-'))
  })
  after(async () => {
    await causeway.remove()
    await rm(folder, { recursive: true })
  })

  test('the doctor finds nothing wrong with a server that serves', async () => {
    const findings = JSON.parse(succeeded(await causeway.command(['doctor', '--json'])))
    assert.deepEqual(
      findings.filter(({ state }: { state: string }) => state === 'failed'),
      [],
    )
  })

  test('a backup taken from a server that serves comes back with everything that was acknowledged', async () => {
    const arm = await createArmClient(causeway)
    const group = `${arm.subscription}/resourceGroups/kept`
    await arm.put(group, { location: 'westeurope' })
    const file = join(folder, 'backup.tar')
    succeeded(await causeway.command(['backup', file]))

    await causeway.end('SIGKILL')
    succeeded(await causeway.command(['down', '--purge']))
    succeeded(await causeway.command(['restore', file]))
    await causeway.startAgain()
    assert.equal((await (await createArmClient(causeway, 'Reader')).get(group)).status, 200)
  })

  test('1: a folder in use is not overwritten by a backup', async () => {
    const file = join(folder, 'backup.tar')
    assert.match(failed(await causeway.command(['restore', file])), /not empty/)
  })
})

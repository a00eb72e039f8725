import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createArmForTests, type TestArm } from '../../test/support/arm.ts'
import { widgetsProvider } from '../../test/support/widgets.ts'

const WIDGETS = 40

let arm: TestArm
before(async () => {
  arm = await createArmForTests({ providers: [widgetsProvider] })
})
after(() => arm.close())

test('others are served while a large group is deleted', async () => {
  await arm.group('large')
  for (let number = 0; number < WIDGETS; number++) {
    const id = `resourceGroups/large/providers/Example.Test/widgets/w${number}`
    await arm.put(id, { location: 'westeurope' })
  }
  let turns = 0
  let next: NodeJS.Immediate
  const count = (): void => {
    turns++
    next = setImmediate(count)
  }
  next = setImmediate(count)
  try {
    await arm.deleteAndWait('resourceGroups/large')
  } finally {
    clearImmediate(next)
  }
  assert.equal((await arm.get('resourceGroups/large')).status, 404)
  assert.ok(turns >= WIDGETS, `${turns} turns of the event loop`)
})

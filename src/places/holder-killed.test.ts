import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { hear, listener, network, testPlaces, withoutPlaces } from './places-for-tests.ts'

const ROUNDS = 30
const RESOLVER = '168.63.129.16'

test('killed amid changes, the process that holds places takes nothing along', {
  skip: withoutPlaces,
  timeout: 120_000,
}, async (t) => {
  const state = await testPlaces(t)
  const [first, second] = [listener('first', '10.0.0.7'), listener('second', '10.0.0.9')]
  state.networks = [network('one', [first])]
  await state.places.reconcile()
  const old = await state.places.attach({ place: 'net-one' })
  const namespaces = await state.driver.list(`cw-${state.mark}-`)
  /** The process that is noted, whether it holds anything yet or not. */
  const noted = async () =>
    Number.parseInt(await readFile(join(state.folder, 'holder'), 'utf8').catch(() => ''), 10)

  const failures: string[] = []
  const over = new AbortController()
  const changes = (async () => {
    for (let change = 0; !over.signal.aborted; change++) {
      state.networks = [network('one', change % 2 === 0 ? [first, second] : [first])]
      await state.places.reconcile().catch((error) => failures.push(`a change: ${error.message}`))
    }
  })()
  for (let round = 0; round < ROUNDS; round++) {
    const killed = await noted()
    process.kill(killed, 'SIGKILL')
    // Every third time its successor goes as well, as soon as it is there.
    if (round % 3 === 0) {
      for (const end = Date.now() + 10_000; [killed, Number.NaN].includes(await noted()); ) {
        assert.ok(Date.now() < end, 'no other process took its place')
      }
      process.kill(await noted(), 'SIGKILL')
    }
    try {
      const program = await state.places.attach({ place: 'net-one' })
      const entry = await state.driver.entry(program.namespace)
      assert.match(await hear({ ...program, entry }, RESOLVER, 53), /^names of net-one/)
      await program.release()
    } catch (error) {
      failures.push(`a program, round ${round}: ${error}`)
    }
    await delay(Math.random() * 100)
  }
  over.abort()
  await changes
  assert.deepEqual(failures, [])
  const entry = await state.driver.entry(old.namespace)
  assert.match(await hear({ ...old, entry }, RESOLVER, 53), /^names of net-one/)
  assert.deepEqual(await state.driver.list(`cw-${state.mark}-`), namespaces)
})

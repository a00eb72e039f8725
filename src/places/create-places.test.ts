import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { enterCommand } from './enter.ts'
import { networkOfThisProcess } from './network-processes.ts'
import { PlaceUnknown, SubnetUnknown } from './place-errors.ts'
import { PlaceFull } from './place-full.ts'
import {
  hear,
  isRoot,
  listener,
  network,
  PUBLIC_ADDRESS,
  runAt,
  type TestPlaces,
  testPlaces,
  withoutPlaces,
} from './places-for-tests.ts'

const namespacesOf = async ({ driver, mark }: TestPlaces): Promise<readonly string[]> => [
  ...(await driver.list(`cw-${mark}-`)).keys(),
]

describe('places', { skip: withoutPlaces, timeout: 60_000 }, () => {
  test('two networks with the same addresses each reach their own endpoint', async (t) => {
    const state = await testPlaces(t)
    state.networks = [
      network('one', [listener('first', '10.0.0.7')]),
      network('two', [listener('second', '10.0.0.7')]),
    ]
    await state.places.reconcile()
    const one = await state.places.attach({ place: 'net-one' })
    const two = await state.places.attach({ place: 'net-two' })
    assert.equal(await hear(one, '10.0.0.7'), 'first of net-one to 10.0.0.254')
    assert.equal(await hear(two, '10.0.0.7'), 'second of net-two to 10.0.0.254')
  })

  test('the public side and the resolver answer in every place', async (t) => {
    const state = await testPlaces(t)
    state.networks = [network('one')]
    await state.places.reconcile()
    const inside = await state.places.attach({ place: 'net-one' })
    const outside = await state.places.attach({ place: 'internet' })
    assert.equal(await hear(inside, PUBLIC_ADDRESS), '20.1.1.1 of net-one to 10.0.0.254')
    assert.equal(await hear(outside, PUBLIC_ADDRESS), 'undefined of internet to 203.0.113.254')
    assert.equal(await hear(inside, '168.63.129.16', 53), 'names of net-one to 10.0.0.254')
    assert.equal(await hear(outside, '168.63.129.16', 53), 'names of internet to 203.0.113.254')
    const asked = await runAt(outside, {
      command: 'bash',
      args: ['-c', 'exec 3<>/dev/udp/168.63.129.16/53; echo ? >&3; timeout 3 head -c 17 <&3'],
    })
    assert.equal(asked.output, 'names of internet')
  })

  test('an endpoint appears and disappears without a touch to the connections of another', async (t) => {
    const state = await testPlaces(t)
    const [kept, changing] = [listener('kept', '10.0.0.7'), listener('changing', '10.0.0.9')]
    state.networks = [network('one', [kept])]
    await state.places.reconcile()
    const attachment = await state.places.attach({ place: 'net-one' })
    const talk = talkTo(attachment, '10.0.0.7')
    t.after(() => talk.child.kill('SIGKILL'))
    assert.match(await talk.say(), /^kept of net-one/)

    state.networks = [network('one', [kept, changing])]
    await state.places.reconcile()
    assert.equal(await hear(attachment, '10.0.0.9'), 'changing of net-one to 10.0.0.254')

    state.networks = [{ ...network('one', [kept]), takenAddresses: ['10.0.0.7', '10.0.0.9'] }]
    await state.places.reconcile()
    assert.equal(await hear(attachment, '10.0.0.9'), 'refused')
    assert.equal(await talk.say('still there'), 'still there')
  })

  test('an endpoint that goes takes its open connections with it', async (t) => {
    const state = await testPlaces(t)
    state.networks = [network('one', [listener('first', '10.0.0.7')])]
    await state.places.reconcile()
    const attachment = await state.places.attach({ place: 'net-one' })
    const talk = talkTo(attachment, '10.0.0.7')
    t.after(() => talk.child.kill('SIGKILL'))
    await talk.say()
    state.networks = [network('one')]
    await state.places.reconcile()
    assert.equal(await talk.ended, 0)
  })

  test('changes that come together are in effect when each call resolves', async (t) => {
    const state = await testPlaces(t)
    const before = state.places.reconcile()
    state.networks = [network('one', [listener('first', '10.0.0.7')])]
    await Promise.all([before, state.places.reconcile(), state.places.reconcile()])
    const attachment = await state.places.attach({ place: 'net-one' })
    assert.match(await hear(attachment, '10.0.0.7'), /^first/)
  })

  test('a network that goes leaves no namespace, and one that changes keeps its own', async (t) => {
    const state = await testPlaces(t)
    state.networks = [network('one'), network('two')]
    await state.places.reconcile()
    state.networks = [network('two', [], '10.0.4.0/22')]
    await state.places.reconcile()
    assert.deepEqual((await namespacesOf(state)).toSorted(), [
      `cw-${state.mark}-internet`,
      `cw-${state.mark}-net-two`,
    ])
    const attachment = await state.places.attach({ place: 'net-two' })
    assert.equal(attachment.address, '10.0.7.254')
    assert.match(await hear(attachment, PUBLIC_ADDRESS), /^20\.1\.1\.1/)
  })

  test('programs stand from the top downwards, reach each other, and give their address back', async (t) => {
    const state = await testPlaces(t)
    state.networks = [network('one', [listener('first', '10.0.0.13')], '10.0.0.8/29')]
    await state.places.reconcile()
    const one = await state.places.attach({ place: 'net-one', subnet: 'default' })
    // 10.0.0.13 is the endpoint's.
    const two = await state.places.attach({ place: 'net-one' })
    assert.deepEqual([one.address, two.address], ['10.0.0.14', '10.0.0.12'])
    await assert.rejects(state.places.attach({ place: 'net-one' }), PlaceFull)
    await assert.rejects(state.places.attach({ place: 'net-one', subnet: 'none' }), SubnetUnknown)
    await assert.rejects(state.places.attach({ place: 'net-none' }), PlaceUnknown)
    // Nothing listens there, so the neighbour itself refuses.
    assert.equal(await hear(one, two.address), 'refused')
    await one.release()
    const three = await state.places.attach({ place: 'net-one' })
    assert.equal(three.address, '10.0.0.14')
    assert.match(await hear(three, '10.0.0.13'), /to 10\.0\.0\.14$/)
  })

  test('an address stays taken while a process left behind still uses it', async (t) => {
    const state = await testPlaces(t)
    await state.places.reconcile()
    const attachment = await state.places.attach({ place: 'internet' })
    const { file, args } = enterCommand(attachment, {
      command: 'sh',
      args: ['-c', 'echo here; exec sleep 60'],
      user: { as: 'owner' },
    })
    const left = spawn(file, [...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => left.kill('SIGKILL'))
    await once(left.stdout, 'data')
    await attachment.release()
    assert.equal(state.places.list()[0]?.programs[0]?.state, 'ending')
    assert.equal((await state.places.attach({ place: 'internet' })).address, '203.0.113.253')
    left.kill('SIGKILL')
    await once(left, 'exit')
    while (state.places.list()[0]?.programs.some(({ id }) => id === attachment.id)) {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    assert.equal((await state.places.attach({ place: 'internet' })).address, '203.0.113.254')
  })

  test("an address stays taken while somebody else's process uses it, which the owner may not look at", {
    skip: isRoot ? false : 'only root may run programs as others',
  }, async (t) => {
    const state = await testPlaces(t)
    await state.places.reconcile()
    const attachment = await state.places.attach({ place: 'internet' })
    const { file, args } = enterCommand(attachment, {
      command: 'sh',
      args: ['-c', 'echo here; exec sleep 60'],
      user: { as: 'user of the machine', uid: 65534, gid: 65534 },
    })
    const program = spawn(file, [...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => program.kill('SIGKILL'))
    await once(program.stdout, 'data')
    const identity = ['--reuid=65533', '--regid=65533', '--clear-groups', '--']
    const module = new URL('./network-processes.ts', import.meta.url).href
    const look = `
      const { processesInNetwork } = await import(${JSON.stringify(module)})
      console.log(JSON.stringify(await processesInNetwork(process.argv[1])))`
    const { output: number } = await runAt(attachment, {
      command: networkOfThisProcess[0] ?? '',
      args: networkOfThisProcess.slice(1),
    })
    const { stdout } = await promisify(execFile)('setpriv', [
      ...identity,
      process.execPath,
      ...['--input-type=module', '--eval', look, number.trim()],
    ])
    assert.deepEqual(JSON.parse(stdout), [program.pid])
  })

  test('an endpoint that was given the address of a program listens when the program has gone', async (t) => {
    const state = await testPlaces(t)
    state.networks = [network('one')]
    await state.places.reconcile()
    const program = await state.places.attach({ place: 'net-one' })
    const other = await state.places.attach({ place: 'net-one' })
    state.networks = [network('one', [listener('first', program.address)])]
    await assert.rejects(state.places.reconcile(), /net-one: https on 10\.0\.0\.254:443/)
    assert.equal(state.places.list().find(({ name }) => name === 'one')?.state, 'failed')
    assert.match(await hear(other, PUBLIC_ADDRESS), /to 10\.0\.0\.253$/)
    await program.release()
    assert.equal((await state.places.attach({ place: 'net-one' })).address, '10.0.0.252')
    assert.match(await hear(other, '10.0.0.254'), /^first/)
  })

  test('a program comes into a place that failed only when names are answered there', async (t) => {
    let isFailing = true
    const state = await testPlaces(t, {
      amid: (driver) => ({
        ...driver,
        async entry(namespace) {
          if (isFailing) throw new Error('not now')
          return driver.entry(namespace)
        },
      }),
    })
    await assert.rejects(state.places.reconcile(), /internet: not now/)
    await assert.rejects(state.places.attach({ place: 'internet' }), {
      name: 'PlaceBroken',
      message: "Names are not answered in 'internet': not now",
    })
    isFailing = false
    const program = await state.places.attach({ place: 'internet' })
    assert.equal(await hear(program, '168.63.129.16', 53), 'names of internet to 203.0.113.254')
  })

  test('closing leaves no namespace and no file', async (t) => {
    const state = await testPlaces(t)
    state.networks = [network('one', [listener('first', '10.0.0.7')])]
    await state.places.reconcile()
    await state.places.attach({ place: 'net-one' })
    await state.places.close()
    assert.deepEqual(await namespacesOf(state), [])
    await assert.rejects(access(join(state.folder, 'places')))
    await assert.rejects(state.places.attach({ place: 'net-one' }), PlaceUnknown)
  })
})

test('places and programs stay as they are when the process that holds them is killed', {
  skip: withoutPlaces,
  timeout: 60_000,
}, async (t) => {
  const state = await testPlaces(t)
  state.networks = [network('one', [listener('first', '10.0.0.7')])]
  await state.places.reconcile()
  const before = await state.places.attach({ place: 'net-one' })
  const talk = talkTo(before, '10.0.0.7')
  t.after(() => talk.child.kill('SIGKILL'))
  assert.equal(await talk.say(), `first of net-one to ${before.address}`)
  const namespaces = await state.driver.list(`cw-${state.mark}-`)

  process.kill(before.entry.holder.pid, 'SIGKILL')
  const after = await state.places.attach({ place: 'net-one' })
  assert.notEqual(after.entry.holder.pid, before.entry.holder.pid)
  assert.equal(await hear(after, '10.0.0.7'), `first of net-one to ${after.address}`)
  await after.release()
  assert.equal(await talk.say('still here'), 'still here')
  assert.deepEqual(await state.driver.list(`cw-${state.mark}-`), namespaces)
})

/** A connection held open by a program in the place; `say` answers with the next line heard. */
function talkTo(attachment: Parameters<typeof enterCommand>[0], address: string) {
  const { file, args } = enterCommand(attachment, {
    command: 'bash',
    args: ['-c', `exec 3<>/dev/tcp/${address}/443; cat <&0 >&3 & exec cat <&3`],
    user: { as: 'owner' },
  })
  const child = spawn(file, [...args], { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  return {
    child,
    ended,
    async say(line?: string): Promise<string> {
      const heard = once(child.stdout, 'data')
      if (line !== undefined) child.stdin.write(`${line}\n`)
      return String((await heard)[0]).trim()
    },
  }
}

import assert from 'node:assert/strict'
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { enterCommand } from './enter.ts'
import {
  hear,
  listener,
  network,
  randomMark,
  runAt,
  testPlaces,
  withoutPlaces,
} from './places-for-tests.ts'
import type { Attachment } from './programs.ts'

const HOST = new URL('./restart-host-for-tests.ts', import.meta.url)

test('a server that was killed finds its places again, and programs keep their network', {
  skip: withoutPlaces,
  timeout: 60_000,
}, async (t) => {
  const [mark, folder] = [randomMark(), await mkdtemp(join(tmpdir(), 'places-'))]
  const state = await testPlaces(t, { mark, folder })
  const host = fork(HOST, [mark, folder], { execArgv: [] })
  t.after(() => host.kill('SIGKILL'))
  const [{ running, idle }] = (await once(host, 'message')) as [Record<string, Attachment>]
  assert.ok(running && idle)

  const { file, args } = enterCommand(running, {
    command: 'sh',
    args: ['-c', 'echo here; exec sleep 60'],
    user: { as: 'owner' },
  })
  const program = spawn(file, [...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => program.kill('SIGKILL'))
  await once(program.stdout, 'data')
  host.kill('SIGKILL')
  await once(host, 'exit')
  assert.equal(await hear(running, '10.0.0.7'), 'refused')

  state.networks = [network('one', [listener('first', '10.0.0.7')])]
  await state.places.reconcile()
  const namespaces = [...(await state.driver.list(`cw-${mark}`)).keys()]
  assert.deepEqual(namespaces.toSorted(), [
    `cw-${mark}-internet`,
    `cw-${mark}-net-one`,
    running.namespace,
  ])
  assert.equal(await hear(running, '10.0.0.7'), 'first of net-one to 10.0.0.254')
  const router = { ...running, entry: await state.driver.entry(`cw-${mark}-net-one`) }
  const { output } = await runAt(router, {
    command: 'ip',
    args: ['-br', '-4', 'address', 'show', 'lo'],
  })
  assert.doesNotMatch(output, /10\.0\.0\.9/)
  // The running program's address is its own; the idle one's is free again.
  const next = await state.places.attach({ place: 'net-one' })
  assert.equal(next.address, idle.address)
})

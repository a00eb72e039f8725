import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openLogFile } from './log-file.ts'

test('an event is a line of JSON without the machine and the process', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-log-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'logs', 'server.log')
  const { log, close } = openLogFile(file, 'info')
  log.info({ port: 1 }, 'serving')
  close()
  const { time, ...event } = JSON.parse(await readFile(file, 'utf8'))
  assert.ok(time > 0)
  assert.deepEqual(event, { level: 30, port: 1, msg: 'serving' })
})

test('a disk without room is no reason to end', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-log-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'server.log')
  await symlink('/dev/full', file)
  const { log, close } = openLogFile(file, 'info')
  for (const number of [1, 2, 3]) log.info({ number }, 'lost')
  close()
})

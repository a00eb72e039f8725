import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findCaller } from './caller.ts'

const ROOTS = { HOME: '/root', USER: 'root', LOGNAME: 'root', SHELL: '/bin/bash', TERM: 'dumb' }

test('who calls without sudo is taken as it is', async () => {
  assert.deepEqual(await findCaller(ROOTS), { environment: ROOTS })
})

test('who calls through sudo has home, name and shell of its own account', async () => {
  const sudo = { SUDO_UID: '1', SUDO_GID: '1', SUDO_USER: 'daemon', SUDO_COMMAND: '/bin/causeway' }
  const { uid, gid, groups, environment } = await findCaller({ ...ROOTS, ...sudo })
  assert.deepEqual([uid, gid, groups], [1, 1, undefined])
  const { HOME, SHELL, ...rest } = environment
  assert.ok(HOME?.startsWith('/') && HOME !== '/root')
  assert.ok(SHELL?.startsWith('/') && SHELL !== '/bin/bash')
  assert.deepEqual(rest, { USER: 'daemon', LOGNAME: 'daemon', TERM: 'dumb' })
})

test('who has no account has no name and no further groups, and the root folder as home', async () => {
  const sudo = { SUDO_UID: '3999999', SUDO_GID: '3999999', SUDO_USER: '#3999999' }
  const { groups, environment } = await findCaller({ ...ROOTS, ...sudo })
  assert.deepEqual(groups, [])
  const { USER, LOGNAME, ...rest } = environment
  assert.deepEqual([USER, LOGNAME], [undefined, undefined])
  assert.deepEqual(rest, { HOME: '/', SHELL: '/bin/sh', TERM: 'dumb' })
})

import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { writeProgramFiles } from './program-files.ts'

test('the files of a program can be read by every user, whatever the umask of the server', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'causeway-files-'))
  const umask = process.umask(0o077)
  t.after(async () => {
    process.umask(umask)
    await rm(parent, { recursive: true })
  })
  const program = { address: '10.0.0.254', dnsServers: [] }
  const { resolvConf, hosts, nsswitch } = await writeProgramFiles(join(parent, 'one'), program)
  for (const file of [resolvConf, hosts, nsswitch]) {
    assert.equal((await stat(file)).mode & 0o777, 0o644)
  }
  assert.equal((await stat(dirname(hosts))).mode & 0o777, 0o755)
})

test('a disk without room fails the program alone, and nothing else of the process', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'causeway-files-'))
  t.after(() => rm(parent, { recursive: true }))
  const folder = join(parent, 'one')
  await mkdir(folder)
  for (const name of ['resolv.conf', 'hosts']) await symlink('/dev/full', join(folder, name))
  const program = { address: '10.0.0.254', dnsServers: [] }
  await assert.rejects(writeProgramFiles(folder, program), { code: 'ENOSPC' })
})

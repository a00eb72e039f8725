import assert from 'node:assert/strict'
import { type FileHandle, mkdtemp, open, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { holdFile } from './held-file.ts'

async function makeFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-held-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'file')
  await writeFile(file, 'text')
  return file
}

/** How many descriptors of this process lead to the file. */
async function descriptorsOf(file: string): Promise<number> {
  const names = await readdir('/proc/self/fd')
  const paths = await Promise.all(
    names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')),
  )
  return paths.filter((path) => path === file).length
}

async function untilClosed(file: string): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; await delay(10)) {
    if ((await descriptorsOf(file)) === 0) return
  }
  assert.fail('it is still open')
}

const descriptor = async (handle: FileHandle) => handle.fd

test('one descriptor serves all who come, and is closed when nobody has come for a while', async (t) => {
  const file = await makeFile(t)
  const held = holdFile(file, 'r+')
  const first = await held.use(descriptor)
  assert.equal(await held.use(descriptor), first)
  assert.equal(await descriptorsOf(file), 1)
  await untilClosed(file)
  await held.use(descriptor)
  assert.equal(await descriptorsOf(file), 1)
  await untilClosed(file)
})

test('a file that was opened already is taken over', async (t) => {
  const file = await makeFile(t)
  const handle = await open(file, 'r+')
  const held = holdFile(file, 'r+', handle)
  assert.equal(await held.use(descriptor), handle.fd)
  held.release()
  await untilClosed(file)
})

test('released while somebody uses it, it is closed after that use', async (t) => {
  const file = await makeFile(t)
  const held = holdFile(file, 'r+')
  await held.use(async (handle) => {
    held.release()
    await delay(20)
    assert.equal((await handle.read(Buffer.alloc(4), 0, 4, 0)).bytesRead, 4)
  })
  await untilClosed(file)
})

test('a file that is missing is told of, and found when it is there', async (t) => {
  const file = await makeFile(t)
  const held = holdFile(`${file}-later`, 'r')
  await assert.rejects(held.use(descriptor), { code: 'ENOENT' })
  await writeFile(`${file}-later`, 'text')
  await held.use(descriptor)
  held.release()
})

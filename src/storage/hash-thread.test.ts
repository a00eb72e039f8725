import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { appendFile, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { digestOf, hexOf } from '../lib/digest.ts'
import { createHashThread } from './hash-thread.ts'

const BYTES = randomBytes(3 * 1024 * 1024 + 5)

async function fileWith(t: TestContext, bytes: Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-hash-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'file')
  await writeFile(file, bytes)
  return file
}

const hexOfBytes = (bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256') =>
  hexOf(digestOf(bytes, algorithm))

test('a file is hashed as far as it was told of, while it grows', async (t) => {
  const file = await fileWith(t, BYTES)
  const hash = createHashThread().follow(file, 'sha256')
  hash.reach(1000)
  assert.equal(await hash.digest(2_000_000), hexOfBytes(BYTES.subarray(0, 2_000_000)))
  await appendFile(file, 'more')
  hash.reach(BYTES.length)
  assert.equal(
    await hash.digest(BYTES.length + 4),
    hexOfBytes(Buffer.concat([BYTES, Buffer.from('more')])),
  )
})

test('files take turns, each with its own hash', async (t) => {
  const thread = createHashThread()
  const [one, other] = [await fileWith(t, BYTES), await fileWith(t, BYTES.subarray(7))]
  assert.deepEqual(
    await Promise.all([
      thread.follow(one, 'sha512').digest(BYTES.length),
      thread.follow(other, 'sha256').digest(BYTES.length - 7),
    ]),
    [hexOfBytes(BYTES, 'sha512'), hexOfBytes(BYTES.subarray(7))],
  )
})

test('what a file lacks is told, and hashed when it is there', async (t) => {
  const file = await fileWith(t, BYTES)
  await truncate(file, 10)
  const hash = createHashThread().follow(file, 'sha256')
  await assert.rejects(hash.digest(BYTES.length), /is shorter than it was/)
  await writeFile(file, BYTES)
  assert.equal(await hash.digest(BYTES.length), hexOfBytes(BYTES))
})

test('a hash that nobody wants any more is not waited for', async (t) => {
  const hash = createHashThread().follow(await fileWith(t, BYTES), 'sha256')
  const asked = assert.rejects(hash.digest(BYTES.length), /given up/)
  hash.drop()
  await asked
})

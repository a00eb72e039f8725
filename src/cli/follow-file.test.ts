import assert from 'node:assert/strict'
import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { linesOf } from './follow-file.ts'

async function newFile(t: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-follow-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'server.log')
  await writeFile(file, text)
  return file
}

const lastOf = (file: string, last: number) =>
  Array.fromAsync(linesOf(file, { last, follow: false }))

test('the last lines of a file are those that were asked for, however long they are', async (t) => {
  const long = 'ü'.repeat(70_000)
  const file = await newFile(t, `one\n${long}\nthree\n`)
  assert.deepEqual(await lastOf(file, 0), [])
  assert.deepEqual(await lastOf(file, 1), ['three'])
  assert.deepEqual(await lastOf(file, 2), [long, 'three'])
  assert.deepEqual(await lastOf(file, 9), ['one', long, 'three'])
  await appendFile(file, 'unended')
  assert.deepEqual(await lastOf(file, 2), ['three', 'unended'])
  assert.deepEqual(await lastOf(await newFile(t, ''), 5), [])
})

test('a followed file is followed on under its name, and what came to the old one is not lost', async (t) => {
  const file = await newFile(t, 'before\n')
  const lines = linesOf(file, { last: 1, follow: true })
  const next = async () => (await lines.next()).value
  assert.equal(await next(), 'before')
  await rename(file, `${file}.1`)
  await appendFile(`${file}.1`, 'late\n')
  await writeFile(file, 'in the ')
  await appendFile(file, 'new one\n')
  assert.equal(await next(), 'late')
  assert.equal(await next(), 'in the new one')
  await truncate(file)
  await appendFile(file, 'cut\n')
  assert.equal(await next(), 'cut')
  await lines.return(undefined)
})

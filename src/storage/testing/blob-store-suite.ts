import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import type { BlobStore } from '../blob-store.ts'
import { failingAfter, inChunks, OWNER, readAll, seen } from './blobs.ts'

/** One store and whoever opens it later: what they share is all that outlives a process. */
export interface StoreUnderTest {
  readonly store: BlobStore
  /** Opens what is stored as a process does that starts afterwards. */
  reopen(): Promise<BlobStore>
}

const BYTES = randomBytes(3 * 1024 * 1024 + 5)

/**
 * What every blob store must do, whatever it keeps the bytes in.
 *
 * @param make an empty store; what it takes on disk or elsewhere goes with the test
 */
export function testBlobStore(
  name: string,
  make: (t: TestContext) => Promise<StoreUnderTest>,
): void {
  describe(`${name} as a blob store`, () => {
    for (const algorithm of ['sha256', 'sha512'] as const) {
      test(`gives out by its ${algorithm} what was committed, also after a restart`, async (t) => {
        const { store, reopen } = await make(t)
        const digest = digestOf(BYTES, algorithm)
        const upload = await store.begin(OWNER)
        await upload.append(inChunks(BYTES), algorithm)
        assert.equal(upload.received, BYTES.length)
        assert.equal(await upload.commit(digest, seen), 'committed')
        assert.equal(upload.state, 'done')
        for (const each of [store, await reopen()]) {
          assert.ok((await readAll(each, digest))?.equals(BYTES))
          assert.equal(await each.resume(OWNER, upload.id), undefined)
        }
      })
    }

    test('takes an empty blob', async (t) => {
      const { store } = await make(t)
      const upload = await store.begin(OWNER)
      const digest = digestOf(Buffer.alloc(0))
      assert.equal(await upload.commit(digest, seen), 'committed')
      assert.equal((await readAll(store, digest))?.length, 0)
    })

    test('reads from any position, and nothing behind the end', async (t) => {
      const { store } = await make(t)
      const upload = await store.begin(OWNER)
      await upload.append(inChunks(BYTES))
      await upload.commit(digestOf(BYTES), seen)
      const reader = await store.open(digestOf(BYTES))
      assert.ok(reader)
      const part = Buffer.alloc(10)
      assert.equal(await reader.read(part, 1_000_000), 10)
      assert.ok(part.equals(BYTES.subarray(1_000_000, 1_000_010)))
      assert.equal(await reader.read(part, BYTES.length - 4), 4)
      assert.equal(await reader.read(part, BYTES.length), 0)
      await reader.close()
    })

    test('has no blob that was not committed', async (t) => {
      const { store } = await make(t)
      const upload = await store.begin(OWNER)
      await upload.append(inChunks(BYTES))
      assert.equal(await store.open(digestOf(BYTES)), undefined)
      await upload.discard()
      assert.equal(upload.state, 'done')
      assert.equal(await store.resume(OWNER, upload.id), undefined)
      assert.equal(await store.open(digestOf(BYTES)), undefined)
    })

    test('with another digest nothing becomes a blob, and the upload stays open', async (t) => {
      const { store } = await make(t)
      const upload = await store.begin(OWNER)
      await upload.append(inChunks(BYTES))
      const other = digestOf(Buffer.from('other'))
      assert.equal(await upload.commit(other, seen), 'mismatch')
      assert.equal(await store.open(other), undefined)
      assert.equal(await upload.commit(digestOf(BYTES), seen), 'committed')
    })

    test('keeps one blob of two uploads of the same bytes', async (t) => {
      const { store } = await make(t)
      const digest = digestOf(BYTES)
      const uploads = await Promise.all([store.begin(OWNER), store.begin(OWNER)])
      await Promise.all(uploads.map((upload) => upload.append(inChunks(BYTES))))
      const ends = await Promise.all(uploads.map((upload) => upload.commit(digest, seen)))
      assert.deepEqual(ends, ['committed', 'committed'])
      assert.ok((await readAll(store, digest))?.equals(BYTES))
    })

    test('keeps what a broken source gave, and hashes it with the rest', async (t) => {
      const { store } = await make(t)
      const upload = await store.begin(OWNER)
      const half = 1024 * 1024 + 3
      await assert.rejects(upload.append(failingAfter(BYTES.subarray(0, half))), /went away/)
      assert.equal(upload.received, half)
      await upload.append(inChunks(BYTES.subarray(half), 1000))
      assert.equal(await upload.commit(digestOf(BYTES), seen), 'committed')
    })

    test('takes up an upload in a later process where it stopped, and once however many ask', async (t) => {
      const { store, reopen } = await make(t)
      const upload = await store.begin(OWNER)
      await upload.append(inChunks(BYTES.subarray(0, 100_000)))
      const later = await reopen()
      const [resumed, same] = await Promise.all([
        later.resume(OWNER, upload.id),
        later.resume(OWNER, upload.id),
      ])
      assert.equal(resumed?.received, 100_000)
      assert.equal(resumed, same)
      await resumed?.append(inChunks(BYTES.subarray(100_000)))
      assert.equal(await resumed?.commit(digestOf(BYTES, 'sha512'), seen), 'committed')
      assert.ok((await readAll(later, digestOf(BYTES, 'sha512')))?.equals(BYTES))
    })

    test('finds an upload under its owner only, and discards it with its registry', async (t) => {
      const { store } = await make(t)
      const upload = await store.begin(OWNER)
      const strangers = [
        { ...OWNER, registry: 'uid-2' },
        { ...OWNER, repository: 'team' },
      ]
      for (const owner of strangers) assert.equal(await store.resume(owner, upload.id), undefined)
      await store.discardUploads('uid-1')
      assert.equal(upload.state, 'done')
      assert.equal(await store.resume(OWNER, upload.id), undefined)
      assert.equal((await store.begin(OWNER)).received, 0)
    })

    test('does the work on one upload in turn', async (t) => {
      const { store } = await make(t)
      const upload = await store.begin(OWNER)
      const order: number[] = []
      await Promise.all(
        [1, 2, 3].map((turn) =>
          upload.exclusive(async () => {
            order.push(turn)
            await upload.append(inChunks(Buffer.from(`${turn}`)))
            order.push(turn)
          }),
        ),
      )
      assert.deepEqual(order, [1, 1, 2, 2, 3, 3])
      assert.equal(await upload.commit(digestOf(Buffer.from('123')), seen), 'committed')
    })
  })
}

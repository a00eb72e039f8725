import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { type Digest, digestOf } from '../../lib/digest.ts'
import type { BlobStore } from '../blob-store.ts'
import { failingAfter, inChunks, OWNER, put, readAll, seen } from './blobs.ts'

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

    test('an upload that becomes a blob, or is discarded, is not taken up meanwhile', async (t) => {
      const { store } = await make(t)
      const begin = async () => {
        const upload = await store.begin(OWNER)
        await upload.append(inChunks(BYTES))
        return upload
      }
      const [becoming, discarded] = [await begin(), await begin()]
      for (const [upload, end] of [
        [becoming, () => becoming.commit(digestOf(BYTES), seen)],
        [discarded, () => discarded.discard()],
      ] as const) {
        let isOver = false
        const ending = end().finally(() => {
          isOver = true
        })
        while (!isOver) {
          const found = await store.resume(OWNER, upload.id)
          assert.ok(found === undefined || found === upload)
          await setImmediate()
        }
        await ending
      }
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

    test('what has come of an upload can be read, also after it has become a blob', async (t) => {
      const { store } = await make(t)
      const upload = await store.begin(OWNER)
      await assert.rejects(upload.append(failingAfter(BYTES.subarray(0, 1000))))
      const reader = await store.openUpload(OWNER, upload.id)
      const buffer = Buffer.alloc(BYTES.length)
      assert.equal(await reader?.read(buffer, 0), 1000)
      await upload.append(inChunks(BYTES.subarray(1000)))
      await upload.commit(digestOf(BYTES), async () => true)
      assert.equal(await reader?.read(buffer, 0), BYTES.length)
      assert.deepEqual(buffer, BYTES)
      await reader?.close()
      assert.equal(await store.openUpload(OWNER, upload.id), undefined)
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

    test('lists blobs in the order of their digests, from any of them on', async (t) => {
      const { store } = await make(t)
      const digests: Digest[] = []
      for (let index = 0; index < 20; index++) {
        digests.push(await put(store, Buffer.from(`${index}`)))
      }
      digests.sort()
      assert.deepEqual(await listed(store), digests)
      for (const [index, digest] of digests.entries()) {
        assert.deepEqual(await listed(store, digest), digests.slice(index + 1))
      }
    })

    test('tells of a listed blob how large it is and since when it has been there', async (t) => {
      const { store } = await make(t)
      const digest = await put(store, BYTES)
      const [blob, ...others] = await Array.fromAsync(store.list())
      assert.deepEqual([blob?.digest, blob?.size, others], [digest, BYTES.length, []])
      assert.ok(Math.abs(Date.now() - Number(blob?.storedAt)) < 60_000)
    })

    test('has no removed blob for whoever comes, and whoever reads it reads on', async (t) => {
      const { store } = await make(t)
      const digest = await put(store, BYTES)
      assert.equal(await store.has(digest), true)
      const reader = await store.open(digest)
      assert.ok(reader)
      await store.remove(digest)
      assert.equal(await store.has(digest), false)
      assert.equal(await store.open(digest), undefined)
      assert.deepEqual(await listed(store), [])
      await store.reclaim()
      const found = Buffer.alloc(BYTES.length)
      assert.equal(await reader.read(found, 0), BYTES.length)
      await reader.close()
      assert.ok(found.equals(BYTES))
      // A second time there is nothing to do.
      await store.remove(digest)
    })

    test('takes the bytes of a removed blob again', async (t) => {
      const { store } = await make(t)
      await store.remove(await put(store, BYTES))
      const digest = await put(store, BYTES)
      await store.reclaim()
      assert.ok((await readAll(store, digest))?.equals(BYTES))
    })

    test('puts a blob there again that is removed before it is seen, and gives up at last', async (t) => {
      const { store } = await make(t)
      const digest = digestOf(BYTES)
      let asked = 0
      const removedOnce = async () => {
        asked += 1
        if (asked === 1) await store.remove(digest)
        return store.has(digest)
      }
      await put(store, BYTES, removedOnce)
      assert.equal(asked, 2)
      assert.ok((await readAll(store, digest))?.equals(BYTES))
      const never = put(store, BYTES, async () => false)
      await assert.rejects(never, /is removed again and again/)
    })

    test('an upload whose blob cannot be seen ends with that, and the blob stays', async (t) => {
      const { store } = await make(t)
      const upload = await store.begin(OWNER)
      await upload.append(inChunks(BYTES))
      const failing = upload.commit(digestOf(BYTES), async () => {
        throw new Error('the database is full')
      })
      await assert.rejects(failing, /the database is full/)
      assert.equal(upload.state, 'done')
      assert.equal(await store.resume(OWNER, upload.id), undefined)
      assert.equal(await store.has(digestOf(BYTES)), true)
    })

    test('sets only the blob aside that was read, not one that took its place', async (t) => {
      const { store } = await make(t)
      const digest = await put(store, BYTES)
      const first = await store.open(digest)
      await put(store, BYTES)
      const second = await store.open(digest)
      assert.ok(first && second)
      assert.equal(await store.quarantine(digest, first), false)
      assert.equal(await store.has(digest), true)
      assert.equal(await store.quarantine(digest, second), true)
      assert.equal(await store.has(digest), false)
      for (const reader of [first, second]) await reader.close()
    })
  })
}

async function listed(store: BlobStore, after?: Digest): Promise<readonly Digest[]> {
  return (await Array.fromAsync(store.list(after))).map(({ digest }) => digest)
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { type ArrivingBlob, arrivingBlob } from './arriving-blob.ts'

const BYTES = Buffer.from('all of it')
const DIGEST = digestOf(BYTES)
const FROM = {
  registry: 'uid-1',
  repository: 'hub/app',
  upstream: { rule: 'hub-rule', host: 'registry.test', repository: 'team/app' },
}

/** A blob whose upload is a file no more, and which becomes the repository's when `link` is called. */
function betweenFileAndLink(): { readonly blob: ArrivingBlob; link(): void } {
  let isLinked = false
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const ports = {
    upstream: {
      manifest: () => Promise.reject(new Error('not asked')),
      blob: () => Promise.reject(new Error('not asked')),
      async arrived() {
        await ended
        return { state: 'ended', available: 0 } as const
      },
    },
    blobs: {
      openUpload: async () => undefined,
      open: async () => ({
        read: async (buffer: Buffer, position: number) => BYTES.copy(buffer, 0, position),
        identify: async () => 'the store',
        close: async () => undefined,
      }),
    },
    reader: { blobSize: () => (isLinked ? BYTES.length : undefined) },
  }
  return {
    blob: arrivingBlob(ports, FROM, DIGEST, { kind: 'arriving', id: 'id', size: BYTES.length }),
    link() {
      isLinked = true
      end()
    },
  }
}

test('a blob that has become whole and is not the repository’s yet is waited for', async () => {
  const { blob, link } = betweenFileAndLink()
  const opened = blob.open()
  setImmediate(link)
  const buffer = Buffer.alloc(BYTES.length)
  assert.equal(await (await opened).read(buffer, 0), BYTES.length)
  assert.deepEqual(buffer, BYTES)
})

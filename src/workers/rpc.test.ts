import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OciError } from '../registry/http/oci-error.ts'
import { isStorageFull, StorageFull } from '../storage/blob-store.ts'
import { REGISTRY_ERRORS } from './errors.ts'
import { type Channel, createRpc } from './rpc.ts'

/** Two ends of one channel, over which data go as between processes. */
function channels() {
  type End = { messages: ((message: object) => void)[]; closed: (() => void)[] }
  const ends: readonly [End, End] = [
    { messages: [], closed: [] },
    { messages: [], closed: [] },
  ]
  const channel = (own: End, other: End): Channel => ({
    send(message) {
      const copy = structuredClone(message)
      setImmediate(() => {
        for (const listener of other.messages) listener(copy)
      })
    },
    onMessage: (listener) => void own.messages.push(listener),
    onClose: (listener) => void own.closed.push(listener),
  })
  return {
    here: createRpc(channel(...ends), REGISTRY_ERRORS),
    there: createRpc(channel(ends[1], ends[0]), REGISTRY_ERRORS),
    close() {
      for (const { closed } of ends) for (const listener of closed) listener()
    },
  }
}

interface Things {
  add(a: number, b: number): Promise<number>
  fail(how: 'registry' | 'full' | 'database' | 'other'): Promise<void>
  never(): Promise<void>
}

const THINGS: Things = {
  add: async (a, b) => a + b,
  async fail(how) {
    if (how === 'registry') {
      const headers = { Range: '0-4' }
      throw new OciError(
        'RANGE_INVALID',
        { at: 5 },
        { message: 'no', headers, cause: new Error('why') },
      )
    }
    if (how === 'full') throw new StorageFull({ cause: new Error('ENOSPC') })
    if (how === 'database') {
      throw Object.assign(new Error('database or disk is full'), { errcode: 13, fn: () => {} })
    }
    throw new TypeError('something else')
  },
  never: () => new Promise(() => {}),
}

test('functions of another process are called as if they were here, in both directions', async () => {
  const { here, there } = channels()
  there.serve<Things>('things', THINGS)
  here.serve<Things>('things', { ...THINGS, add: async (a, b) => a * b })
  const answers = [
    here.remote<Things>('things').add(3, 4),
    there.remote<Things>('things').add(3, 4),
  ]
  assert.deepEqual(await Promise.all(answers), [7, 12])
})

test('errors keep their class, their fields and their cause', async () => {
  const { here, there } = channels()
  there.serve<Things>('things', THINGS)
  const things = here.remote<Things>('things')
  await assert.rejects(things.fail('registry'), (error) => {
    assert.ok(error instanceof OciError)
    const { code, status, detail, message, headers, cause } = error
    assert.deepEqual(
      { code, status, detail, message, headers },
      {
        code: 'RANGE_INVALID',
        status: 416,
        detail: { at: 5 },
        message: 'no',
        headers: { Range: '0-4' },
      },
    )
    assert.equal((cause as Error).message, 'why')
    return true
  })
  await assert.rejects(things.fail('full'), StorageFull)
  await assert.rejects(things.fail('database'), isStorageFull)
  await assert.rejects(things.fail('other'), { name: 'TypeError', message: 'something else' })
})

test('only what an object itself has can be called', async () => {
  const { here, there } = channels()
  there.serve<Things>('things', THINGS)
  const inherited = here.remote<{ toString(): Promise<string> }>('things')
  await assert.rejects(inherited.toString(), /there is no function things\.toString/)
  const unknown = here.remote<Things>('nothing')
  await assert.rejects(unknown.add(1, 2), /there is no function nothing\.add/)
})

test('calls that were not answered fail when the other process has gone, and so do later ones', async () => {
  const { here, there, close } = channels()
  there.serve<Things>('things', THINGS)
  const things = here.remote<Things>('things')
  const waiting = assert.rejects(things.never(), { name: 'ChannelClosed' })
  close()
  await waiting
  await assert.rejects(things.add(1, 2), { name: 'ChannelClosed' })
})

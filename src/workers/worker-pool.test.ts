import assert from 'node:assert/strict'
import net from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { pino } from 'pino'
import { ChannelClosed } from './rpc.ts'
import type { HandedConnection, WorkerFunctions, WorkerStart } from './worker-contract.ts'
import { createWorkerPool } from './worker-pool.ts'
import type { WorkerProcess } from './worker-process.ts'

const CONNECTION = { listener: 1 } as HandedConnection

/** A process that does what a test says. */
function fakeProcess(pid: number) {
  const loaded = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<string>()
  const begun = Promise.withResolvers<void>()
  const handed: { socket: net.Socket; taken: () => void }[] = []
  const closedListeners: number[] = []
  const end = () => {
    begun.reject(new ChannelClosed())
    ended.resolve('SIGKILL')
  }
  begun.promise.catch(() => {})
  const functions: WorkerFunctions = {
    start: () => begun.promise,
    follow: async () => {},
    closeListener: async (listener) => void closedListeners.push(listener),
    discardUploads: async () => {},
    flushEvents: async () => {},
    readGauge: async () => pid,
    reopenLog: async () => {},
  }
  const process: WorkerProcess = {
    pid,
    rpc: { serve() {}, remote: <T>() => ({}) as T },
    functions,
    loaded: loaded.promise,
    ended: ended.promise,
    hand: (socket, _connection, taken) => void handed.push({ socket, taken }),
    kill: end,
    end: async () => end(),
  }
  return { process, loaded, begun, handed, closedListeners, end }
}

function pool(slots: number) {
  const started: ReturnType<typeof fakeProcess>[] = []
  const workers = createWorkerPool(slots, {
    log: pino({ level: 'silent' }),
    start() {
      const fake = fakeProcess(started.length)
      started.push(fake)
      return fake.process
    },
  })
  const begin = () =>
    workers.begin({ objects: {}, startOf: (place) => ({ ...place }) as WorkerStart })
  async function serving(index: number) {
    started[index]?.loaded.resolve()
    started[index]?.begun.resolve()
    for (let count = 0; count < 5; count++) await turn()
  }
  return { workers, started, begin, serving }
}

test('the others start when the first has loaded, and connections go to each in turn', async () => {
  const { workers, started, begin, serving } = pool(2)
  assert.equal(started.length, 1)
  const begun = begin()
  await serving(0)
  assert.equal(started.length, 2)
  await serving(1)
  await begun
  const sockets = Array.from({ length: 4 }, () => new net.Socket())
  for (const socket of sockets) workers.take(socket, CONNECTION, () => true)
  assert.deepEqual(
    started.map(({ handed }) => handed.map(({ socket }) => sockets.indexOf(socket))),
    [
      [0, 2],
      [1, 3],
    ],
  )
  started[0]?.handed[0]?.taken()
  assert.equal(sockets[0]?.destroyed, true, 'what is taken is let go here')
  await workers.close()
})

test('where the first dies before it has loaded, the others start all the same', async () => {
  const { workers, started, begin, serving } = pool(2)
  const begun = begin()
  started[0]?.end()
  await turn()
  await turn()
  // The first again, and the second.
  assert.equal(started.length, 3)
  await serving(1)
  await serving(2)
  await begun
  assert.deepEqual(
    workers.list().map(({ state, replaced }) => [state, replaced]),
    [
      ['serving', 1],
      ['serving', 0],
    ],
  )
  await workers.close()
})

test('what a worker has not taken when it dies goes to another, unless nobody wants it any more', async () => {
  const { workers, started, begin, serving } = pool(2)
  const begun = begin()
  await serving(0)
  await serving(1)
  await begun
  const [kept, other, unwanted] = [new net.Socket(), new net.Socket(), new net.Socket()]
  let isWanted = true
  workers.take(kept, CONNECTION, () => true)
  workers.take(other, CONNECTION, () => true)
  workers.take(unwanted, CONNECTION, () => isWanted)
  isWanted = false
  started[0]?.end()
  await turn()
  assert.deepEqual(
    started[1]?.handed.map(({ socket }) => socket),
    [other, kept],
  )
  assert.equal(unwanted.destroyed, true)
  await workers.close()
})

test('while nobody serves, connections wait for the next; what dies is replaced in its slot', async () => {
  const { workers, started, begin, serving } = pool(1)
  const begun = begin()
  await serving(0)
  await begun
  started[0]?.end()
  await turn()
  const socket = new net.Socket()
  workers.take(socket, CONNECTION, () => true)
  assert.deepEqual(workers.list(), [{ slot: 0, pid: 1, state: 'starting', replaced: 1 }])
  await serving(1)
  assert.equal(started[1]?.handed[0]?.socket, socket)
  assert.deepEqual(workers.list(), [{ slot: 0, pid: 1, state: 'serving', replaced: 1 }])
  await workers.closeListener(7)
  assert.deepEqual(started[1]?.closedListeners, [7])
  await workers.close()
})

test('one that dies in the middle of an answer is no obstacle: its connections are gone', async () => {
  const { workers, started, begin, serving } = pool(1)
  const begun = begin()
  await serving(0)
  await begun
  const told = workers.tell(async () => {
    started[0]?.end()
    throw new ChannelClosed()
  })
  await told
  await workers.close()
})

test('where none can begin, the server does not start', async () => {
  const { workers, started, begin } = pool(1)
  const begun = assert.rejects(begin(), { name: 'CannotStart', message: /--workers 0/ })
  started[0]?.loaded.resolve()
  started[0]?.begun.reject(new Error('no database'))
  await begun
  await workers.close()
})

test('a start that is given up keeps nobody waiting for workers that have not begun', async () => {
  const { workers, started, begin } = pool(2)
  const begun = assert.rejects(begin(), { name: 'CannotStart' })
  started[0]?.loaded.resolve()
  await turn()
  await workers.close()
  await begun
})

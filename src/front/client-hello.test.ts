import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import tls from 'node:tls'
import { parseClientHello } from './client-hello.ts'

/** The first bytes that a client sends, which never gets an answer. */
function helloOf(options: tls.ConnectionOptions): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        resolve(chunk)
        done()
      },
    })
    tls.connect({ socket, rejectUnauthorized: false, ...options }).on('error', () => {})
  })
}

const NAME = 'shop.westeurope.data.azurecr.io'

for (const [title, options] of [
  ['TLS 1.3', { minVersion: 'TLSv1.3' }],
  ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ['TLS with a protocol to be negotiated', { ALPNProtocols: ['h2', 'http/1.1'] }],
] as const) {
  test(`the name in a hello of ${title}`, async () => {
    const hello = await helloOf({ servername: NAME, ...options } as tls.ConnectionOptions)
    assert.deepEqual(parseClientHello(hello), { state: 'read', servername: NAME })
  })
}

test('a client that names no server', async () => {
  const hello = await helloOf({})
  assert.deepEqual(parseClientHello(hello), { state: 'read', servername: undefined })
})

test('every beginning of a hello is incomplete, and more after it does not matter', async () => {
  const hello = await helloOf({ servername: NAME })
  for (let length = 0; length < hello.length; length++) {
    const bytes = length < 5 ? 5 : hello.length
    const incomplete = parseClientHello(hello.subarray(0, length))
    assert.deepEqual(incomplete, { state: 'incomplete', bytes }, `${length}`)
  }
  const more = Buffer.concat([hello, Buffer.from([23, 3, 3, 0, 1, 0])])
  assert.deepEqual(parseClientHello(more), { state: 'read', servername: NAME })
})

test('a hello that is split over records', async () => {
  const hello = await helloOf({ servername: NAME })
  const message = hello.subarray(5)
  for (const cut of [1, 3, 4, 60, message.length - 1]) {
    const parts = [message.subarray(0, cut), message.subarray(cut)].map((part) => {
      const header = Buffer.from([22, 3, 1, 0, 0])
      header.writeUInt16BE(part.length, 3)
      return Buffer.concat([header, part])
    })
    const split = parseClientHello(Buffer.concat(parts))
    assert.deepEqual(split, { state: 'read', servername: NAME }, `${cut}`)
  }
})

test('what is no TLS is unreadable as soon as it is certain', async () => {
  for (const text of ['GET / HTTP/1.1\r\n', 'G', '\u0016\u0002rubbish', '\u0000']) {
    assert.deepEqual(parseClientHello(Buffer.from(text, 'latin1')), { state: 'unreadable' }, text)
  }
})

test('a length that leads out of the message is unreadable, and never more than that', async () => {
  const hello = await helloOf({ servername: NAME })
  for (let at = 5; at < hello.length; at++) {
    for (const value of [0, 255]) {
      const spoiled = Buffer.from(hello)
      spoiled[at] = value
      assert.ok(['read', 'unreadable', 'incomplete'].includes(parseClientHello(spoiled).state))
    }
  }
})

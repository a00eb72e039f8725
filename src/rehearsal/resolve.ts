import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { decode, encode, type Packet } from 'dns-packet'
import type { Trial } from './trial.ts'

const ANSWER_SECONDS = 5

/** Asks the place's own name server (first in /etc/resolv.conf) for a name's A record. Throws when nobody answers. */
export async function resolveChain(name: string): Promise<Trial['chain']> {
  const server = /^nameserver\s+(\S+)/m.exec(await readFile('/etc/resolv.conf', 'utf8'))?.[1]
  if (!server) throw new Error('no name server in /etc/resolv.conf')
  const socket = createSocket('udp4')
  try {
    const query: Packet = {
      type: 'query',
      id: 1 + Math.floor(Math.random() * 65535),
      flags: 0x100,
      questions: [{ type: 'A', name }],
    }
    socket.send(encode(query), 53, server)
    const [message] = (await once(socket, 'message', {
      signal: AbortSignal.timeout(ANSWER_SECONDS * 1000),
    })) as [Buffer]
    return (decode(message).answers ?? []).map((answer) => ({
      name: answer.name,
      type: answer.type,
      data: 'data' in answer ? String(answer.data) : '',
    }))
  } finally {
    socket.close()
  }
}

/**
 * Runs inside a place's namespace for a moment: opens the sockets that its parent asks for, one at a time, passes
 * each on, and keeps none. It ends when the parent closes the channel.
 *
 * Plain JavaScript: every place waits for one of these, and to strip types would take as long as all that it does.
 */
import dgram from 'node:dgram'
import net from 'node:net'

/** @import { OpenerReply, OpenerRequest } from './open-sockets.ts' */

process.on('message', (/** @type {OpenerRequest} */ request) => {
  if (request.transport === 'udp') openUdp(request)
  else openTcp(request)
})

// A socket is sent and closed in the same tick in which it began to listen: this process never gets to accept a
// connection or to read a packet, both of which would be lost. Closing is safe, since the parent asks for the next
// socket only when it has this one, so that a message is written at once or fails.
/** @param {OpenerRequest} request */
function openTcp({ address, port }) {
  const server = net.createServer()
  server.once('error', refuse)
  server.listen({ host: address, port, backlog: 511, exclusive: true }, () => {
    send({ opened: true }, server)
    server.close()
  })
}

/** @param {OpenerRequest} request */
function openUdp({ address, port }) {
  const socket = dgram.createSocket('udp4')
  socket.once('error', refuse)
  socket.bind({ address, port, exclusive: true }, () => {
    send({ opened: true }, socket)
    socket.close()
  })
}

/** @param {NodeJS.ErrnoException} error */
function refuse(error) {
  send({ opened: false, cause: error.code ?? error.message })
}

/**
 * @param {OpenerReply} reply
 * @param {net.Server | dgram.Socket} [handle]
 */
function send(reply, handle) {
  process.send?.(reply, handle, {}, (error) => {
    if (error) process.exit(1)
  })
}

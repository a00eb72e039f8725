import type net from 'node:net'
import { CannotStart } from '../lib/cannot-start.ts'

/** Has `server` listen at an address of the host; `cure` ends the refusal. Returns the port. @throws CannotStart */
export async function listen(
  server: net.Server,
  at: { readonly address: string; readonly port: number },
  cure: string,
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(refusal(at, error, cure)))
    server.listen({ host: at.address, port: at.port, exclusive: true }, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

function refusal(
  { address, port }: { readonly address: string; readonly port: number },
  cause: NodeJS.ErrnoException,
  cure: string,
): CannotStart {
  const where = address === '127.0.0.1' ? `Port ${port}` : `Port ${port} of ${address}`
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'is taken',
    EADDRNOTAVAIL: 'cannot be had, since this machine does not have the address',
    EACCES: 'cannot be had without root or the capability CAP_NET_BIND_SERVICE',
  }
  const reason = reasons[cause.code ?? ''] ?? `cannot be had (${cause.message})`
  return new CannotStart(`${where} ${reason}: ${cure}`, { cause })
}

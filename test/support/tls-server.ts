import { createServer, type Server, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { issueAuthority, issueLeaf } from '../../src/front/issue-certificate.ts'

export interface TlsServer {
  readonly port: number
  /** The certificate of the authority that signed the server's, PEM. */
  readonly authority: string
  /** How many connections have come, before TLS. */
  readonly connections: () => number
  close(): Promise<void>
}

/** A real https server on loopback whose certificate is for these names, and for 127.0.0.1. */
export async function startTlsServer(
  handler: NonNullable<Parameters<typeof createServer>[1]>,
  names: readonly [string, ...string[]] = ['registry.test'],
): Promise<TlsServer> {
  const authority = await issueAuthority('Authority of a test', {
    domains: ['test', 'localhost'],
    excludedDomains: [],
    addresses: ['127.0.0.1'],
  })
  const leaf = await issueLeaf(authority, { domains: names, addresses: ['127.0.0.1'] })
  const options: ServerOptions = { cert: leaf.certificate, key: leaf.key }
  const server = createServer(options, handler)
  let connections = 0
  server.on('connection', () => {
    connections += 1
  })
  await listen(server)
  return {
    port: (server.address() as AddressInfo).port,
    authority: authority.certificate,
    connections: () => connections,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const listen = (server: Server): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })

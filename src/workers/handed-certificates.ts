import { createSecureContext } from 'node:tls'
import type { ServerCertificate } from '../front/tls-listener.ts'
import { TLS_SETTINGS } from '../front/tls-settings.ts'

/** The certificates that came with connections, each for the name that its client asked for. */
export interface HandedCertificates {
  keep(servername: string, pem: string): void
  certificateFor(servername: string): Promise<ServerCertificate | undefined>
}

const KEPT_MAX = 1000

export function createHandedCertificates(): HandedCertificates {
  // In the order of last use; a Map keeps the order of insertion.
  const kept = new Map<string, ServerCertificate>()
  return {
    keep(servername, pem) {
      const known = kept.get(servername)
      const certificate =
        known?.pem === pem
          ? known
          : { pem, context: createSecureContext({ cert: pem, key: pem, ...TLS_SETTINGS }) }
      kept.delete(servername)
      kept.set(servername, certificate)
      const [oldest] = kept.keys()
      if (kept.size > KEPT_MAX && oldest !== undefined) kept.delete(oldest)
    },
    certificateFor: async (servername) => kept.get(servername),
  }
}

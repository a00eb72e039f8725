import type { Config } from '../config.ts'
import type { DnsServer } from '../dns/dns-server.ts'
import type { Authorities } from '../front/authorities.ts'
import type { Planes } from '../front/cloud-names.ts'
import { createHealth, type HealthOptions, listenForProbes } from '../front/health.ts'
import { hostAddresses } from '../front/host-addresses.ts'
import { hostCertificate } from '../front/host-certificates.ts'
import { createHostFront } from '../front/host-front.ts'
import { serveNamesOnHost } from '../front/names-on-host.ts'
import { openOwnCertificates } from '../front/own-certificates.ts'
import type { ServeTls } from '../front/served-at.ts'
import { systemClock as clock } from '../lib/clock.ts'
import type { Closing } from '../lib/closing.ts'
import { describeHost } from '../operator/host-summary.ts'
import type { RegistryDirectory } from '../registry/registry-directory.ts'
import type { Stores } from './open-stores.ts'

/** Opens what the host itself serves: on loopback, and where the operator says. @throws CannotStart */
export async function serveHost(
  { log, settings }: Stores,
  config: Config,
  parts: {
    readonly planes: Planes
    readonly directory: RegistryDirectory
    readonly dns: DnsServer
    readonly authorities: Authorities
    readonly serveTls?: ServeTls
    readonly whyNotReady: () => readonly string[]
    readonly exposition: HealthOptions['metrics']
  },
  closing: Closing,
) {
  const { planes, directory, dns, authorities, serveTls, whyNotReady } = parts
  const certificates = await openOwnCertificates(config.certificates, { log })
  closing.add(() => certificates.close())
  const health = createHealth({ whyNotReady, metrics: parts.exposition })
  const front = createHostFront({
    certificateFor: (name) => hostCertificate(name, { authorities, own: certificates }),
    directory,
    registryDomain: settings.registryDomain,
    hostNames: config.controlPlane.hostNames,
    planes,
    health,
    log,
    ...(serveTls && { serveTls }),
  })
  const opened = <T extends { close(): Promise<void> }>(listener: T): T => {
    closing.add(() => listener.close())
    return listener
  }
  const { pem } = await authorities.host.leafFor('localhost')
  const { port } = opened(await front.listenOnLoopback(config.port, pem))
  for (const address of hostAddresses(config)) opened(await front.listenAt(address))
  for (const address of config.health.listeners) opened(await listenForProbes(address, health))
  const names = opened(await serveNamesOnHost({ dns, asked: config.names, clock, log }))
  return { port, describe: () => describeHost({ config, port, names, certificates }) }
}

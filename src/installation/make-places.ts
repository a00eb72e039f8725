import type { DnsServer } from '../dns/dns-server.ts'
import type { Authorities } from '../front/authorities.ts'
import type { Planes } from '../front/cloud-names.ts'
import { createFront } from '../front/create-front.ts'
import { publicAddressesInUse } from '../front/public-addresses.ts'
import type { ServeTls } from '../front/served-at.ts'
import { signedBy } from '../front/signed-by.ts'
import { createInstanceMetadata } from '../identity/instance-metadata.ts'
import { systemClock as clock } from '../lib/clock.ts'
import type { Closing } from '../lib/closing.ts'
import { createPlaces } from '../places/create-places.ts'
import { createNamespaceDriver } from '../places/namespace-driver.ts'
import type { NetworkSource } from '../places/network-source.ts'
import type { RegistryDirectory } from '../registry/registry-directory.ts'
import type { PrincipalsAtWork } from './open-principals.ts'
import type { Stores } from './open-stores.ts'

/** The places with what listens in them; they follow the feed, and are first made by `reconcile`. */
export function makePlaces(
  { feed, folder, log }: Stores,
  { homes, identities, tokens }: PrincipalsAtWork,
  parts: {
    readonly planes: Planes
    readonly directory: RegistryDirectory
    readonly networks: NetworkSource
    readonly dns: DnsServer
    readonly authorities: Authorities
    readonly serveTls?: ServeTls
  },
  closing: Closing,
) {
  const { planes, directory, networks, dns, authorities, serveTls } = parts
  const front = createFront({
    certificateFor: (name) => signedBy(authorities.place, name),
    directory,
    planes,
    log,
    ...(serveTls && { serveTls }),
  })
  const metadata = createInstanceMetadata({
    programAt: (place, address) => identities.at(place, address, places.list()),
    tokens,
    clock,
    log,
  })
  const forget = async (): Promise<void> => {
    await homes.tidy()
    await identities.tidy()
  }
  const places = createPlaces({
    mark: folder.mark,
    folder: folder.places,
    source: networks,
    publicAddresses: () => publicAddressesInUse(directory),
    listeners: {
      https: front.accept,
      dnsUdp: dns.serveUdp,
      dnsTcp: dns.serveTcp,
      metadata: metadata.accept,
    },
    caBundle: authorities.placeBundle,
    log,
    driver: createNamespaceDriver(folder.run),
    programGone: () => {
      forget().catch((error) => log.error({ err: error }, 'a program was not forgotten'))
    },
  })
  closing.add(() => places.close())
  feed.subscribe(() => places.reconcile())
  return places
}

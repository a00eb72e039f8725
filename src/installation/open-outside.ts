import type { Config } from '../config.ts'
import type { Egress } from '../egress/create-egress.ts'
import { openEgress } from '../egress/open-egress.ts'
import { systemClock as clock } from '../lib/clock.ts'
import { isOwnHost } from '../providers/container-registry/registry-hosts.ts'
import type { Stores } from './open-stores.ts'

/** The way to registries and receivers elsewhere. What is Causeway's own is not reached by it. @throws CannotStart */
export function openOutside(
  { log, settings }: Stores,
  config: Config,
  /** Of what the host serves on loopback. */
  loopbackPort: () => number,
): Promise<Egress> {
  const { registry, controlPlane, health, egress } = config
  const listeners = [registry, controlPlane, health].flatMap((each) => each.listeners)
  return openEgress(egress, {
    own: {
      isOwnName: (name) =>
        isOwnHost(name, settings.registryDomain) || controlPlane.hostNames.includes(name),
      ports: () => [loopbackPort(), ...listeners.map(({ port }) => port)],
    },
    log,
    clock,
  })
}

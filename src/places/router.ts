import type { LinkState, NamespaceDriver } from './namespace-driver.ts'

/** The bridge on which programs of a place meet its router. */
export const BRIDGE = 'br0'

// Fixed, since a bridge otherwise takes over the hardware address of whichever program comes or goes, and open
// connections stall. It is the address that gateways in Azure show.
const BRIDGE_HARDWARE = '12:34:56:78:9a:bc'

/** Programs reach each other across subnets; a source must be where it claims to be; every address answers on the bridge. */
const SETTINGS = {
  'net/ipv4/ip_forward': '1',
  'net/ipv4/conf/all/rp_filter': '1',
  'net/ipv4/conf/all/arp_ignore': '0',
  'net/ipv4/conf/default/arp_ignore': '0',
  'net/ipv4/conf/all/arp_announce': '2',
}

const LOOPBACK = '127.0.0.1/8'

/**
 * Makes a place's namespace, where it is not there yet, and gives it exactly these addresses. What a crash left half
 * made is completed. There is no interface to the host, and no route but to the subnets.
 *
 * @param gateways on the bridge, with prefix length
 * @param addresses on the loopback interface
 * @throws CommandFailed
 */
export async function ensureRouter(
  driver: NamespaceDriver,
  namespace: string,
  wanted: {
    readonly exists: boolean
    readonly gateways: readonly string[]
    readonly addresses: readonly string[]
  },
): Promise<void> {
  if (!wanted.exists) await driver.add(namespace)
  const links: ReadonlyMap<string, LinkState> = wanted.exists
    ? await driver.links(namespace)
    : new Map()

  const commands: string[] = []
  // The bridge is made last: where it is, the rest is done.
  if (!links.has(BRIDGE)) {
    await driver.set(namespace, SETTINGS)
    commands.push(
      'link set lo up',
      `link add name ${BRIDGE} address ${BRIDGE_HARDWARE} up type bridge`,
    )
  }
  commands.push(
    ...difference(BRIDGE, links.get(BRIDGE), wanted.gateways),
    ...difference(
      'lo',
      links.get('lo'),
      wanted.addresses.map((address) => `${address}/32`),
    ),
  )
  if (commands.length > 0) await driver.configure(namespace, commands)
}

function difference(
  link: string,
  current: LinkState | undefined,
  wanted: readonly string[],
): readonly string[] {
  const present = new Set(current?.addresses)
  const keep = new Set([LOOPBACK, ...wanted])
  return [
    ...[...present]
      .filter((address) => !keep.has(address))
      .map((address) => `address del ${address} dev ${link}`),
    ...wanted
      .filter((address) => !present.has(address))
      .map((address) => `address add ${address} dev ${link}`),
  ]
}

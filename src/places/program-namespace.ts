import { existsSync } from 'node:fs'
import { parseAddress } from '../lib/cidr.ts'
import type { PlaceId } from '../lib/origin.ts'
import type { NamespaceDriver } from './namespace-driver.ts'
import { BRIDGE } from './router.ts'

/** The interface that a program sees. */
const LINK = 'eth0'

/** Where a program stands. Written on its interface, so that a later process can read it there. */
export interface Standing {
  readonly place: PlaceId
  readonly subnet: string
  readonly address: string
}

/**
 * Makes the namespace of one program, tied to a place's bridge by a veth.
 *
 * @param gateway with prefix length, `10.0.0.1/24`
 * @throws CommandFailed; nothing is left behind then
 */
export async function connectProgram(
  driver: NamespaceDriver,
  program: {
    readonly id: string
    readonly namespace: string
    readonly router: string
    readonly gateway: string
    readonly standing: Standing
  },
): Promise<void> {
  const { id, namespace, router, standing } = program
  const [gateway = '', length = ''] = program.gateway.split('/')
  const port = `p-${id}`
  try {
    await driver.add(namespace)
    await driver.configure(router, [
      `link add name ${port} type veth peer name ${LINK} address ${hardwareOf(standing.address)} netns ${namespace}`,
      `link set ${port} master ${BRIDGE} up`,
    ])
    await driver.configure(namespace, [
      ...withoutVersion6(),
      `link set ${LINK} alias ${standing.place}/${standing.subnet}`,
      'link set lo up',
      `address add ${standing.address}/${length} dev ${LINK}`,
      `link set ${LINK} up`,
      `route add default via ${gateway}`,
    ])
  } catch (error) {
    await disconnectProgram(driver, namespace)
    throw error
  }
}

/**
 * Networks here speak version 4. An address of version 6 that comes by itself some seconds after the start is a change of
 * network, for which a browser drops what it is loading (Chromium calls it ERR_NETWORK_CHANGED).
 */
const withoutVersion6 = (): readonly string[] =>
  existsSync('/proc/sys/net/ipv6') ? [`link set ${LINK} addrgenmode none`] : []

/** Takes a program's network away and removes its namespace. Its address is free when this resolves. */
export async function disconnectProgram(driver: NamespaceDriver, namespace: string): Promise<void> {
  // The kernel takes a namespace apart some time after its name is gone; a link that is deleted is gone at once.
  await driver.configure(namespace, [`link del ${LINK}`]).catch(() => {})
  await driver.remove(namespace)
}

/** Reads where the program of a namespace stands; undefined when its place is gone. */
export async function standingOf(
  driver: NamespaceDriver,
  namespace: string,
): Promise<Standing | undefined> {
  const link = (await driver.links(namespace)).get(LINK)
  const [place, subnet] = link?.alias?.split('/') ?? []
  const address = link?.addresses[0]?.split('/')[0]
  return place && subnet && address ? { place, subnet, address } : undefined
}

// The same address always has the same hardware address: whoever takes it over is reached although neighbours
// remember the one before. Locally administered, RFC 7042 section 2.1.
function hardwareOf(address: string): string {
  const digits = (parseAddress(address) ?? 0).toString(16).padStart(8, '0')
  return `02:00:${digits.match(/../g)?.join(':')}`
}

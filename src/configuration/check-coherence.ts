import type { Complaint } from './complaint.ts'
import type { ConfigFile } from './config-file.ts'

const EVERY_ADDRESS = '0.0.0.0'

/** What each key allows by itself, and all of them together do not. */
export function checkCoherence(file: ConfigFile): readonly Complaint[] {
  return [
    ...checkDomain(file),
    ...checkRegistry(file),
    ...checkControlPlane(file),
    ...checkNames(file),
    ...checkSockets(file),
  ]
}

function checkDomain({ registryDomain = '' }: ConfigFile): readonly Complaint[] {
  const [first, last] = [registryDomain.split('.')[0], registryDomain.split('.').at(-1)]
  if (first?.toLowerCase() !== 'privatelink' && last?.toLowerCase() !== 'localhost') return []
  const message = `registryDomain is "${registryDomain}": 'privatelink.…' and '….localhost' are made from it; give the domain itself`
  return [{ at: ['registryDomain'], message }]
}

function checkRegistry({ registry }: ConfigFile): readonly Complaint[] {
  const isEvery = registry?.listeners?.some(({ address }) => address === EVERY_ADDRESS)
  if (!isEvery || registry?.advertisedAddresses?.length) return []
  return [
    {
      at: ['registry', 'listeners'],
      message: `registry.listeners has ${EVERY_ADDRESS}, to which no name can lead: add registry.advertisedAddresses, the addresses at which clients find it`,
    },
  ]
}

function checkControlPlane({ controlPlane, registryDomain }: ConfigFile): readonly Complaint[] {
  const { listeners = [], hostNames = [] } = controlPlane ?? {}
  const at = ['controlPlane', 'hostNames']
  if (listeners.length > 0 && hostNames.length === 0) {
    const message = 'controlPlane.listeners serve by name: add controlPlane.hostNames'
    return [{ at: ['controlPlane', 'listeners'], message }]
  }
  if (hostNames.length > 0 && listeners.length === 0) {
    const message = 'controlPlane.hostNames are served on controlPlane.listeners: add those'
    return [{ at, message }]
  }
  const domain = registryDomain?.toLowerCase()
  return hostNames.flatMap((name, index) => {
    const host = name.toLowerCase()
    const isRegistry = domain !== undefined && host.endsWith(`.${domain}`)
    if (!isRegistry && host !== 'localhost' && !host.endsWith('.localhost')) return []
    const message = `controlPlane.hostNames[${index}] is "${name}", where registries and this machine have their names: give another`
    return [{ at: [...at, index], message }]
  })
}

function checkNames({ names, registry }: ConfigFile): readonly Complaint[] {
  const listeners = names?.listeners ?? []
  const complaints = listeners.flatMap(({ address, allowedClients }, index) => {
    const at = ['names', 'listeners', index]
    return [
      ...(address === EVERY_ADDRESS
        ? [
            {
              at,
              message:
                'names.listeners: an answer must come from the address that was asked; give each address by itself',
            },
          ]
        : []),
      ...(allowedClients.length === 0 || allowedClients.some((prefix) => prefix.endsWith('/0'))
        ? [
            {
              at,
              message:
                'names.listeners: a resolver is never open to everybody; give allowedClients the prefixes of your networks',
            },
          ]
        : []),
    ]
  })
  if (listeners.length === 0 || registry?.listeners?.length) return complaints
  const message =
    'names.listeners tell where the registry listens beyond loopback: add registry.listeners'
  return [...complaints, { at: ['names', 'listeners'], message }]
}

/** Registry and control plane may share a socket, since their names differ; nothing else may. */
function checkSockets({ registry, controlPlane, names, health }: ConfigFile): readonly Complaint[] {
  const complaints: Complaint[] = []
  const taken = new Map<string, string>()
  for (const [key, listeners = []] of [
    ['registry', registry?.listeners],
    ['controlPlane', controlPlane?.listeners],
    ['health', health?.listeners],
    ['names', names?.listeners],
  ] as const) {
    for (const [index, { address, port }] of listeners.entries()) {
      const socket = `${address}:${port}`
      const other = taken.get(socket)
      taken.set(socket, key)
      if (other === undefined || (other === 'registry' && key === 'controlPlane')) continue
      const at = [key, 'listeners', index]
      complaints.push({ at, message: `${key}.listeners: ${socket} is taken by ${other}.listeners` })
    }
  }
  return complaints
}

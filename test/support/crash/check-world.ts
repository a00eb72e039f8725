import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describeDataFolder } from '../../../src/storage/data-folder.ts'
import type { ArmClient } from '../arm-client.ts'
import type { Causeway } from '../causeway.ts'
import { ZONE } from '../private-registry.ts'
import { run, succeeded } from '../run.ts'
import type { Ground } from './arm-load.ts'

/** Runs as a place's router: `ADDRESSES CA REGISTRY REGISTRY-ADDRESS`; tells what answers. */
const LOOK = `
for address in $1; do
  if timeout 3 bash -c "exec 3<>/dev/tcp/$address/443" 2>/dev/null; then echo "$address open"; else echo "$address closed"; fi
done
control=$(dig +short +time=2 +tries=1 @168.63.129.16 management.azure.com | tail -1)
test -n "$control" && echo "names answer"
echo "control $(curl -sS --max-time 5 -o /dev/null -w '%{http_code}' --cacert "$2" --resolve "management.azure.com:443:$control" 'https://management.azure.com/metadata/endpoints?api-version=2020-01-01')"
echo "registry $(curl -sS --max-time 5 -o /dev/null -w '%{http_code}' --cacert "$2" --resolve "$3:443:$4" "https://$3/v2/")"
`

/** Compares what the parts of the product say of the same thing, and what is really there. */
export async function checkWorld(
  causeway: Causeway,
  arm: ArmClient,
  ground: Ground,
  publicAddress: string,
): Promise<void> {
  const endpoints = await endpointsOf(arm)
  await checkConnections(arm, endpoints)
  await checkRecords(arm, ground, endpoints)

  const status = await causeway.status()
  assert.equal(status.state, 'serving', JSON.stringify(status.places.map(({ cause }) => cause)))
  const [registry] = ground.registries
  for (const { name, resourceGroup, namespace, listeners } of status.places) {
    const inside = endpoints.filter(
      ({ network, group }) => network === name && group === resourceGroup,
    )
    const open = inside.filter(({ isApproved }) => isApproved).flatMap((each) => each.addresses)
    const closed = inside.filter((each) => !each.isApproved).flatMap((each) => each.addresses)
    assert.deepEqual(listeners.map(({ address }) => address).sort(), open.sort(), name)
    const [file = '', ...args] = await causeway.inside(namespace)
    const { authorities } = status
    const told = await run(file, [
      ...args,
      ...['bash', '-c', LOOK, 'look', [...open, ...closed].join(' '), authorities.place],
      ...[registry?.loginServer ?? '', publicAddress],
    ])
    assert.deepEqual(
      succeeded(told).trim().split('\n'),
      [
        ...open.map((address) => `${address} open`),
        ...closed.map((address) => `${address} closed`),
        ...['names answer', 'control 200', 'registry 401'],
      ],
      `${name}: ${told.stderr}`,
    )
  }
}

interface Endpoint {
  readonly id: string
  readonly group: string
  readonly network: string
  readonly registry: string
  readonly status: string
  readonly isApproved: boolean
  readonly addresses: readonly string[]
  /** `name address`, none while it is not approved. */
  readonly hosts: readonly string[]
}

async function endpointsOf(arm: ArmClient): Promise<readonly Endpoint[]> {
  const listed = await arm.get<{ value: EndpointDocument[] }>(
    `${arm.subscription}/providers/Microsoft.Network/privateEndpoints`,
  )
  return Promise.all(
    listed.body.value.map(async ({ id, properties }) => {
      const [link] = properties.privateLinkServiceConnections
      const [card] = properties.networkInterfaces
      const { body } = await arm.get<InterfaceDocument>(card.id)
      const configured = body.properties.ipConfigurations.map((each) => each.properties)
      const status = link.properties.privateLinkServiceConnectionState.status
      return {
        id,
        group: id.split('/')[4] ?? '',
        network: properties.subnet.id.split('/')[8] ?? '',
        registry: link.properties.privateLinkServiceId.toLowerCase(),
        status,
        isApproved: status === 'Approved',
        addresses: configured.map(({ privateIPAddress }) => privateIPAddress),
        hosts: configured.flatMap(({ privateIPAddress, privateLinkConnectionProperties }) =>
          privateLinkConnectionProperties.fqdns.map((fqdn) => `${fqdn} ${privateIPAddress}`),
        ),
      }
    }),
  )
}

async function checkConnections(arm: ArmClient, endpoints: readonly Endpoint[]): Promise<void> {
  const { body } = await arm.get<{ value: { id: string }[] }>(
    `${arm.subscription}/providers/Microsoft.ContainerRegistry/registries`,
  )
  for (const { id } of body.value) {
    const answer = await arm.get<{ value: ConnectionDocument[] }>(
      `${id}/privateEndpointConnections`,
    )
    assert.deepEqual(
      answer.body.value
        .map(
          ({ properties }) =>
            `${properties.privateEndpoint.id} ${properties.privateLinkServiceConnectionState.status}`,
        )
        .sort(),
      endpoints
        .filter(({ registry }) => registry === id.toLowerCase())
        .map((endpoint) => `${endpoint.id} ${endpoint.status}`)
        .sort(),
      'registry and endpoints disagree',
    )
  }
}

async function checkRecords(
  arm: ArmClient,
  ground: Ground,
  endpoints: readonly Endpoint[],
): Promise<void> {
  for (const { group } of ground.networks) {
    const zone = `${group}/providers/Microsoft.Network/privateDnsZones/${ZONE}`
    const { body } = await arm.get<{ value: RecordDocument[] }>(`${zone}/A`)
    const wanted: string[] = []
    for (const { id, isApproved, hosts } of endpoints) {
      if (!id.startsWith(`${group}/`)) continue
      const answer = await arm.get<GroupDocument>(`${id}/privateDnsZoneGroups/default`)
      if (answer.status === 404) continue
      const records = answer.body.properties.privateDnsZoneConfigs.flatMap(
        ({ properties }) => properties.recordSets,
      )
      const named = records.map(
        ({ recordSetName, ipAddresses }) => `${recordSetName} ${ipAddresses}`,
      )
      // What was written while it was approved stays while it is not.
      const short = hosts.map((host) => host.replace('.azurecr.io ', ' '))
      if (isApproved) assert.deepEqual(named.toSorted(), short.toSorted(), id)
      wanted.push(...named)
    }
    assert.deepEqual(
      body.value
        .flatMap(({ name, properties }) =>
          properties.aRecords.map(({ ipv4Address }) => `${name} ${ipv4Address}`),
        )
        .sort(),
      wanted.sort(),
      'records and addresses differ',
    )
  }
}

/** What is kept in folders for what runs, and as drafts, less what the design keeps. */
export async function strayFiles(causeway: Causeway): Promise<readonly string[]> {
  const { path, run: runFolder, places } = await describeDataFolder(causeway.dataFolder)
  const { places: present } = await causeway.status()
  const running = new Set(present.flatMap(({ programs }) => programs.map(({ id }) => id)))
  const all = await readdir(path, { recursive: true })
  const drafts = all.filter((name) => /\.(draft|new)$/.test(name))
  const notes = (await readdir(runFolder)).filter(
    (name) => name.startsWith('program-') && !running.has(name.slice('program-'.length)),
  )
  const files = (await readdir(places)).filter((name) => !running.has(name))
  return [...drafts, ...notes, ...files.map((name) => join('places', name))]
}

interface EndpointDocument {
  readonly id: string
  readonly properties: {
    readonly subnet: { readonly id: string }
    readonly networkInterfaces: readonly [{ readonly id: string }]
    readonly privateLinkServiceConnections: readonly [
      {
        readonly properties: {
          readonly privateLinkServiceId: string
          readonly privateLinkServiceConnectionState: { readonly status: string }
        }
      },
    ]
  }
}

interface InterfaceDocument {
  readonly properties: {
    readonly ipConfigurations: readonly {
      readonly properties: {
        readonly privateIPAddress: string
        readonly privateLinkConnectionProperties: { readonly fqdns: readonly string[] }
      }
    }[]
  }
}

interface ConnectionDocument {
  readonly properties: {
    readonly privateEndpoint: { readonly id: string }
    readonly privateLinkServiceConnectionState: { readonly status: string }
  }
}

interface RecordDocument {
  readonly name: string
  readonly properties: { readonly aRecords: readonly { readonly ipv4Address: string }[] }
}

interface GroupDocument {
  readonly properties: {
    readonly privateDnsZoneConfigs: readonly {
      readonly properties: {
        readonly recordSets: readonly {
          readonly recordSetName: string
          readonly ipAddresses: readonly string[]
        }[]
      }
    }[]
  }
}

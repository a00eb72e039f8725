import { type ArmAnswer, type ArmClient, armClientOver } from '../arm-client.ts'
import { NoAnswer, type PlaceAgent } from '../place-agent.ts'
import { endpointBody, ZONE } from '../private-registry.ts'
import { type Change, type Expectations, repeat, type Seen } from './expectations.ts'
import type { Chance } from './seeded-random.ts'

/** What stays from round to round, for the load to work upon. */
export interface Ground {
  readonly group: string
  /** Each with a subnet `apps` and a zone of the group that is linked to it. */
  readonly networks: readonly { readonly group: string; readonly subnetId: string }[]
  readonly registries: readonly { readonly id: string; readonly loginServer: string }[]
}

/** The control plane as a program in a place uses it, signed in. */
export async function armFrom(agent: PlaceAgent): Promise<ArmClient> {
  const token = await tokenFor(agent, 'https://management.azure.com/.default')
  const { AZURE_SUBSCRIPTION_ID } = await agent.variables()
  return armClientOver(async (path, { method, headers, body }) => {
    const answer = await agent.request(`https://management.azure.com${path}`, {
      method,
      headers: { ...headers, authorization: `Bearer ${token}` },
      ...(body !== undefined && { body }),
    })
    return { status: answer.status, headers: answer.headers, text: answer.content.toString() }
  }, `/subscriptions/${AZURE_SUBSCRIPTION_ID}`)
}

/** A token by the credentials of the place. */
export async function tokenFor(agent: PlaceAgent, scope: string): Promise<string> {
  const { AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET } = await agent.variables()
  const answer = await agent.request(
    `https://login.microsoftonline.com/${AZURE_TENANT_ID}/oauth2/v2.0/token`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: AZURE_CLIENT_ID ?? '',
        client_secret: AZURE_CLIENT_SECRET ?? '',
        scope,
      }).toString(),
    },
  )
  if (answer.status !== 200) throw new NoAnswer(`no token: ${answer.content}`)
  return (JSON.parse(answer.content.toString()) as { access_token: string }).access_token
}

/** Asks for many changes of what the control plane keeps, by several clients at once, until told to stop. */
export async function loadArm(options: {
  readonly arm: ArmClient
  readonly ground: Ground
  readonly expected: Expectations
  /** Operations that were begun: none may be stuck. */
  readonly operations: Set<string>
  /** Told of answers that no client should get. */
  readonly failed: (what: string) => void
  readonly chance: Chance
  readonly signal: AbortSignal
}): Promise<void> {
  const { arm, ground, expected, operations, failed, chance, signal } = options
  let version = 0

  async function ask(
    change: Change,
    method: 'PUT' | 'PATCH' | 'POST' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<void> {
    await expected.attempt(change, async () => {
      const first = await arm.send(method, path, body)
      const operation = operationOf(first)
      if (operation) operations.add(operation)
      if (first.status >= 500) {
        const what = `${first.status}: ${method} ${path}: ${JSON.stringify(first.body)}`
        failed(what)
        throw new NoAnswer(what)
      }
      if (first.status >= 300) return 'refused'
      return operation === undefined || (await succeeds(arm, operation))
        ? 'acknowledged'
        : 'refused'
    })
  }

  /** Puts, patches and deletes things that a tag tells apart. */
  async function changeTagged(id: string, body: object, within: readonly string[] = []) {
    const tags = { v: `${++version}` }
    const isThere = expected.now(id) !== undefined
    const choice = chance.below(isThere ? 4 : 1)
    if (choice === 3) {
      const gone = [id, ...within, ...expected.keys().filter((key) => key.startsWith(`${id}/`))]
      return ask(new Map(gone.map((key) => [key, undefined])), 'DELETE', id)
    }
    const isPatch = choice === 2
    const sent = isPatch ? { tags } : { ...body, tags }
    return ask(new Map([[id, tags.v]]), isPatch ? 'PATCH' : 'PUT', id, sent)
  }

  async function groups() {
    const id = `${arm.subscription}/resourceGroups/comes-${chance.below(3)}`
    // What is in it goes with it.
    if (expected.now(id) === undefined || chance.below(2) === 0) {
      return changeTagged(id, { location: 'westeurope' })
    }
    const network = `${id}/providers/Microsoft.Network/virtualNetworks/within`
    await changeTagged(network, networkBody(chance))
  }

  async function networksAndZones() {
    const providers = `${ground.group}/providers/Microsoft.Network`
    const choice = chance.below(3)
    if (choice === 0) {
      const id = `${providers}/virtualNetworks/comes-${chance.below(2)}`
      return changeTagged(id, networkBody(chance))
    }
    const zone = `${providers}/privateDnsZones/comes-${chance.below(2)}.example`
    if (choice === 1 || expected.now(zone) === undefined) {
      return changeTagged(zone, { location: 'global' })
    }
    const record = `${zone}/A/host-${chance.below(4)}`
    if (expected.now(record) !== undefined && chance.below(4) === 0) {
      return ask(new Map([[record, undefined]]), 'DELETE', record)
    }
    const ipv4Address = `10.${chance.below(200)}.${chance.below(200)}.${1 + chance.below(200)}`
    const properties = { ttl: 300, aRecords: [{ ipv4Address }] }
    await ask(new Map([[record, ipv4Address]]), 'PUT', record, { properties })
  }

  async function registries() {
    const id = `${ground.group}/providers/Microsoft.ContainerRegistry/registries/crashcomes${chance.below(2)}`
    await changeTagged(id, { location: 'westeurope', sku: { name: 'Premium' } })
  }

  async function endpoints() {
    const which = chance.below(ground.networks.length * ground.registries.length)
    const network = ground.networks[which % ground.networks.length]
    const registry = ground.registries[Math.floor(which / ground.networks.length)]
    if (!network || !registry) return
    const id = `${network.group}/providers/Microsoft.Network/privateEndpoints/e${which}`
    const group = `${id}/privateDnsZoneGroups/default`
    const decision = `${id}#connection`
    const choice = chance.below(8)
    if (expected.now(id) === undefined) {
      const made: Change = new Map([
        [id, registry.id],
        [decision, 'Approved'],
      ])
      return ask(made, 'PUT', id, endpointBody(registry.id, network.subnetId))
    }
    if (choice === 0) {
      return ask(new Map([id, group, decision].map((key) => [key, undefined])), 'DELETE', id)
    }
    if (choice < 3) {
      if (expected.now(group) !== undefined) {
        return ask(new Map([[group, undefined]]), 'DELETE', group)
      }
      const zone = `${network.group}/providers/Microsoft.Network/privateDnsZones/${ZONE}`
      const configs = [{ name: 'acr', properties: { privateDnsZoneId: zone } }]
      return ask(new Map([[group, zone]]), 'PUT', group, {
        properties: { privateDnsZoneConfigs: configs },
      })
    }
    const connection = await connectionWith(arm, registry.id, id)
    if (connection === undefined) {
      // The other one who does this may just have deleted it; the endpoint says so, then.
      if ((await arm.get(id)).status === 404) return
      throw new Error(`${registry.id} knows nothing of ${id}`)
    }
    const status = chance.one(['Approved', 'Rejected'])
    await ask(new Map([[decision, status]]), 'PUT', connection, {
      properties: { privateLinkServiceConnectionState: { status, description: 'decided' } },
    })
  }

  async function imports() {
    const [registry] = ground.registries
    if (!registry) return
    await ask(new Map(), 'POST', `${registry.id}/importImage`, {
      source: { registryUri: 'mcr.microsoft.com', sourceImage: 'hello-world:latest' },
      targetTags: [`imported:v${chance.below(3)}`],
      mode: 'Force',
    })
  }

  await Promise.all(
    [groups, networksAndZones, registries, endpoints, endpoints, imports].map((work) =>
      repeat(signal, work),
    ),
  )
}

/** What the control plane shows of a thing that the load may have changed. */
export async function lookAt(arm: ArmClient, key: string): Promise<Seen> {
  const [id = '', part] = key.split('#')
  const answer = await arm.get<Shown>(id)
  if (answer.status === 404) return undefined
  if (answer.status !== 200) throw new Error(`${key}: ${answer.status}`)
  const { tags, properties } = answer.body
  const link = properties?.privateLinkServiceConnections?.[0]?.properties
  if (part !== undefined) return link?.privateLinkServiceConnectionState.status
  return (
    link?.privateLinkServiceId ??
    properties?.privateDnsZoneConfigs?.[0]?.properties.privateDnsZoneId ??
    properties?.aRecords?.[0]?.ipv4Address ??
    tags?.v
  )
}

/** Waits for the operation's end; whether it succeeded. */
export async function succeeds(arm: ArmClient, operation: string): Promise<boolean> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
    const { status, body } = await arm.send<{ status?: string }>('GET', operation)
    if (status === 404) return true
    if (status === 202 || body.status === 'InProgress') continue
    return status < 300 && body.status !== 'Failed' && body.status !== 'Canceled'
  }
  throw new Error(`${operation} is stuck`)
}

function operationOf({ headers, status }: ArmAnswer): string | undefined {
  if (status >= 300) return undefined
  const monitor = headers['azure-asyncoperation'] ?? headers.location
  if (typeof monitor !== 'string') return undefined
  const { pathname, search } = new URL(monitor)
  return `${pathname}${search}`
}

async function connectionWith(arm: ArmClient, registry: string, endpoint: string) {
  const { body } = await arm.get<{ value?: Connection[] }>(`${registry}/privateEndpointConnections`)
  return body.value?.find(
    ({ properties }) => properties.privateEndpoint.id.toLowerCase() === endpoint.toLowerCase(),
  )?.id
}

const networkBody = (chance: Chance) => ({
  location: 'westeurope',
  properties: {
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] },
    subnets: [{ name: 'apps', properties: { addressPrefix: `10.0.${chance.below(9)}.0/24` } }],
  },
})

interface Connection {
  readonly id: string
  readonly properties: { readonly privateEndpoint: { readonly id: string } }
}

interface Shown {
  readonly tags?: { readonly v?: string }
  readonly properties?: {
    readonly aRecords?: readonly { readonly ipv4Address: string }[]
    readonly privateDnsZoneConfigs?: readonly {
      readonly properties: { readonly privateDnsZoneId: string }
    }[]
    readonly privateLinkServiceConnections?: readonly {
      readonly properties: {
        readonly privateLinkServiceId: string
        readonly privateLinkServiceConnectionState: { readonly status: string }
      }
    }[]
  }
}

import type { TestContext } from 'node:test'
import type { ImageCopier } from '../../src/providers/container-registry/import-image.ts'
import { createContainerRegistryProvider } from '../../src/providers/container-registry/provider.ts'
import type { WebhookDeliveries } from '../../src/providers/container-registry/webhook.ts'
import type { CopyErrand, ImageCopy } from '../../src/registry/copy/image-copy.ts'
import type { ReplicaState } from '../../src/registry/replicas/replica-queue.ts'
import { type Answer, createArmForTests } from './arm.ts'
import { fakeEndpoints } from './fake-endpoint.ts'

/** A control plane with the registry provider, two groups, and endpoints as bare as can be. */
export async function openRegistries(
  t: TestContext,
  options: {
    readonly copy?: ImageCopier['copy']
    readonly storedBytes?: number
    readonly replicaState?: ReplicaState
    /** Patterns under which every registry has a repository. */
    readonly existing?: readonly string[]
    /** By identifier. */
    readonly secrets?: Readonly<Record<string, string>>
    readonly webhooks?: WebhookDeliveries
    readonly privateEndpointsPerRegistry?: number
    /** Actions that are refused at a scope that ends so. */
    readonly refuses?: { readonly action: string; readonly at: string }
  } = {},
) {
  const copies: ImageCopy[] = []
  const errands: CopyErrand[] = []
  const copy: ImageCopier['copy'] = async (request, errand) => {
    copies.push(request)
    errands.push(errand)
  }
  const { refuses, privateEndpointsPerRegistry } = options
  const arm = await createArmForTests({
    providers: [
      createContainerRegistryProvider({
        images: { copy: options.copy ?? copy },
        content: {
          storedBytes: async () => options.storedBytes ?? 0,
          replicaState: async () => options.replicaState,
        },
        cached: { hasRepository: (_uid, pattern) => options.existing?.includes(pattern) ?? false },
        secrets: { valueOf: async (identifier) => options.secrets?.[identifier] },
        webhooks: options.webhooks ?? {
          ping: async () => 'ping-id',
          events: async () => [],
        },
      }),
      fakeEndpoints,
    ],
    authorizer: {
      isAllowed: (_principal, action, scope) =>
        !refuses || action !== refuses.action || !scope.endsWith(refuses.at),
    },
    ...(privateEndpointsPerRegistry && { settings: { privateEndpointsPerRegistry } }),
  })
  t.after(() => arm.close())
  await arm.group('main')
  await arm.group('other')

  const inGroup = (group: string, rest: string) =>
    `${arm.subscription}/resourceGroups/${group}/providers/${rest}`
  const id = (name: string, group = 'main') =>
    inGroup(group, `Microsoft.ContainerRegistry/registries/${name}`)
  const endpointId = (name: string) => inGroup('main', `Microsoft.Network/privateEndpoints/${name}`)

  const tryEndpoint = (name: string, target: string, properties: Record<string, unknown> = {}) =>
    arm.put(endpointId(name), { location: 'westeurope', properties: { target, ...properties } })

  return {
    arm,
    id,
    copies,
    errands,
    tryEndpoint,
    async createRegistry(name: string, properties: Record<string, unknown> = {}, sku = 'Premium') {
      const body = { location: 'westeurope', sku: { name: sku }, properties }
      return created(await arm.put(id(name), body))
    },
    /** Returns its id. */
    async createEndpoint(...of: Parameters<typeof tryEndpoint>): Promise<string> {
      return created(await tryEndpoint(...of)).id
    },
    checkName: (name: string) =>
      arm.post('providers/Microsoft.ContainerRegistry/checkNameAvailability', {
        name,
        type: 'Microsoft.ContainerRegistry/registries',
      }),
    /** Follows the operation to its end. */
    async importImage(name: string, body: unknown): Promise<Answer> {
      let answer = await arm.post(`${id(name)}/importImage`, body)
      while (answer.status === 202) answer = await arm.get(String(answer.headers.location))
      return answer
    },
  }
}

function created(answer: Answer) {
  if (answer.status !== 201) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`)
  return answer.body
}

import { createControlPlane } from '../arm/control-plane.ts'
import { isSameId } from '../arm/resource-id.ts'
import type { AuditTrail } from '../audit/create-audit-trail.ts'
import type { Egress } from '../egress/create-egress.ts'
import { cloudMetadata } from '../front/cloud-metadata.ts'
import type { Planes } from '../front/cloud-names.ts'
import { measuredPlanes } from '../front/measured-planes.ts'
import { createGraphPlane } from '../graph/graph-plane.ts'
import type { RoleAssignmentSource } from '../identity/authorizer.ts'
import { createAuthorizer } from '../identity/create-authorizer.ts'
import { isOwnerOf, ownerAssignment } from '../identity/owner.ts'
import { systemClock as clock } from '../lib/clock.ts'
import type { Closing } from '../lib/closing.ts'
import type { Metrics } from '../lib/metrics.ts'
import { originOf } from '../lib/origin.ts'
import { removeRoles } from '../operator/principals.ts'
import type { PlaceStatus } from '../places/place-status.ts'
import { createCustomRoleSource } from '../providers/authorization/custom-role-source.ts'
import { createAuthorizationProvider } from '../providers/authorization/provider.ts'
import { createRoleAssignmentSource } from '../providers/authorization/role-assignment-source.ts'
import { createContainerRegistryProvider } from '../providers/container-registry/provider.ts'
import { createRegistryDirectory } from '../providers/container-registry/registry-directory.ts'
import { createUpstreamCredentials } from '../providers/container-registry/upstream-credentials.ts'
import type { VaultSecrets } from '../providers/container-registry/vault-secrets.ts'
import { createNetworkSource } from '../providers/network/network-source.ts'
import { createNetworkProvider } from '../providers/network/provider.ts'
import { privateDnsProvider } from '../providers/private-dns/provider.ts'
import { createZoneSource } from '../providers/private-dns/zone-source.ts'
import { resourcesProvider } from '../providers/resources/provider.ts'
import { createRegistryPlane } from '../registry/registry-plane.ts'
import { createReplicaStores } from '../storage/replica-stores.ts'
import type { PrincipalsAtWork } from './open-principals.ts'
import type { Stores } from './open-stores.ts'
import { openWebhooks, recordWithBoth } from './open-webhooks.ts'
import type { AsOwner } from './operate.ts'

/** The planes that speak HTTP, and what the other parts learn of the resources that one of them keeps. */
export async function createPlanes(
  stores: Stores,
  who: PrincipalsAtWork,
  options: {
    readonly places: () => readonly PlaceStatus[]
    readonly asOwner: AsOwner
    readonly outside: Egress
    readonly secrets: VaultSecrets
    readonly cache: { readonly recheckSeconds: number }
    readonly metrics: Metrics
    /** Of all processes that serve registries. */
    readonly registryMetrics: Metrics
    readonly trail: AuditTrail
  },
  closing: Closing,
) {
  const { secrets } = options
  const { database, blobs, feed, keys, log, sealer, settings } = stores
  const { tenantId, subscriptionId, registryDomain } = settings
  const { principals, owner, authenticator, authority, applications, credentials } = who
  // Rights, directories and images are read from resources, which the control plane keeps: those three come after it.
  const assignmentsOf: RoleAssignmentSource['assignmentsOf'] = (objectId) => [
    ...ownerAssignment(owner, objectId),
    ...roleAssignments.assignmentsOf(objectId),
  ]
  const authorizer = createAuthorizer({
    assignments: { assignmentsOf },
    customRoles: { permissionsOf: (roleId) => customRoles.permissionsOf(roleId) },
  })
  const control = await createControlPlane({
    database,
    providers: [
      resourcesProvider,
      createAuthorizationProvider({
        principals: { exists: async (id) => (await principals.byObjectId(id)) !== undefined },
      }),
      createNetworkProvider({
        heldAddresses(networkId) {
          const place = networks.list().find(({ id }) => isSameId(id, networkId))?.place
          const programs = options.places().flatMap((each) => each.programs)
          return programs.filter((each) => each.place === place).map(({ address }) => address)
        },
      }),
      privateDnsProvider,
      createContainerRegistryProvider({
        images: { copy: (image, errand) => registry.copyImage(image, errand) },
        content: {
          storedBytes: (uid) => registry.storedBytes(uid),
          replicaState: (replica) => registry.replicaState(replica),
        },
        cached: { hasRepository: (uid, pattern) => registry.hasRepository(uid, pattern) },
        secrets,
        webhooks: { ping: (uid) => webhooks.ping(uid), events: (uid) => webhooks.events(uid) },
      }),
    ],
    feed,
    authenticate: (authorization) => authenticator.byHeader(authorization, ['arm']),
    authorizer,
    sealer,
    settings,
    clock,
    log,
    metadata: (baseUrl) => cloudMetadata(baseUrl, { registryDomain, tenantId }),
  })
  closing.add(() => control.close())
  const { resources } = control
  const roleAssignments = await createRoleAssignmentSource({ resources, feed })
  const customRoles = await createCustomRoleSource({ resources, feed })
  const graph = await createGraphPlane({
    applications,
    credentials,
    principals,
    authenticate: ({ raw, headers }) =>
      // On the host all planes are one resource to clients, the one whose address they know.
      authenticator.byHeader(
        headers.authorization,
        originOf(raw).via === 'host' ? ['graph', 'arm'] : ['graph'],
      ),
    mayManage: (principal) => isOwnerOf(`/subscriptions/${subscriptionId}`, principal, authorizer),
    removeRoles: (objectId) => options.asOwner((arm) => removeRoles(objectId, arm)),
    ownerId: owner.objectId,
    tenantId,
    clock,
    log,
  })
  closing.add(() => graph.close())
  const directory = await createRegistryDirectory({
    resources,
    feed,
    settings,
    unseal: sealer.unseal,
  })
  const webhooks = await openWebhooks(stores, { ...options, resources }, closing)
  const replicas = createReplicaStores(stores.folder.replicas)
  const registry = createRegistryPlane({
    database,
    blobs,
    replicas: {
      ...replicas,
      regionOf: (place) => networks.list().find((each) => each.place === place)?.location,
    },
    directory,
    identity: {
      verifyAccessToken: (token) => authenticator.byToken(token, ['arm', 'registry']),
      authenticate: authenticator.bySecret,
      byCredential: principals.byCredential,
      isAllowed: authorizer.isAllowed,
    },
    outside: options.outside,
    clock,
    log,
    secrets: keys,
    tenantId,
    cache: { ...options.cache, credentialsOf: createUpstreamCredentials(resources, secrets) },
    metrics: options.registryMetrics,
    events: options.trail,
    recorder: recordWithBoth(options.trail, webhooks),
  })
  closing.add(() => registry.close())
  await registry.seed()
  const followDirectory = async () => {
    await registry.retain(directory.list().map(({ uid }) => uid))
    await registry.keepReplicas()
  }
  await followDirectory()
  feed.subscribe(followDirectory)

  const zones = await createZoneSource({ resources, feed })
  const networks = await createNetworkSource({ resources, feed })
  const handlers: Planes = {
    control: (request, response) => control.app.routing(request, response),
    authority: (request, response) => authority.routing(request, response),
    registry: registry.handle,
    graph: (request, response) => graph.routing(request, response),
  }
  const planes = measuredPlanes(handlers, options.metrics)
  const start = async (): Promise<void> => {
    await control.start()
    webhooks.start()
  }
  const roles = { assignmentsOf, customRoleName: customRoles.nameOf }
  /** What those must know who serve the registry plane in other processes. */
  const known = {
    registries: () => directory.list().map((facts) => [facts.id.toLowerCase(), facts] as const),
    grants: () => [
      ...ownerAssignment(owner, owner.objectId).map(
        (grant) => ['owner', { ...grant, objectId: owner.objectId }] as const,
      ),
      ...roleAssignments.entries(),
    ],
    roles: () => customRoles.entries(),
    regions: () => networks.list().map(({ place, location }) => [place, location] as const),
  }
  const { writer, hasten, mender, upstream } = registry
  const offered = { content: writer, replicas: { hasten, mend: mender.mend }, upstream }
  const imports = registry.runningImports
  return {
    ...{ planes, directory, replicas, mender, zones, networks },
    ...{ roles, known, offered, imports, start },
  }
}

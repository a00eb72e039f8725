import { createControlPlane } from './arm/control-plane.ts'
import { isSameId } from './arm/resource-id.ts'
import type { Settings } from './arm/resource-type.ts'
import type { Config } from './config.ts'
import { createDnsServer } from './dns/dns-server.ts'
import { createHostResolver } from './dns/host-resolver.ts'
import { createResolver } from './dns/resolver.ts'
import { openAuthorities } from './front/authorities.ts'
import { cloudMetadata } from './front/cloud-metadata.ts'
import type { Planes } from './front/cloud-names.ts'
import { createFront } from './front/create-front.ts'
import { createHealth, listenForProbes } from './front/health.ts'
import { hostAddresses } from './front/host-addresses.ts'
import { createHostFront } from './front/host-front.ts'
import { createHostNameSource } from './front/host-name-source.ts'
import { serveNamesOnHost } from './front/names-on-host.ts'
import { openOwnCertificates } from './front/own-certificates.ts'
import { publicAddressesInUse } from './front/public-addresses.ts'
import { createPublicNames } from './front/public-names.ts'
import { createGraphPlane } from './graph/graph-plane.ts'
import type { RoleAssignmentSource } from './identity/authorizer.ts'
import { createAuthorizer } from './identity/create-authorizer.ts'
import { createIdentity } from './identity/create-identity.ts'
import { createInstanceMetadata } from './identity/instance-metadata.ts'
import { openKeys } from './identity/keys.ts'
import { isOwnerOf, openOwner, ownerAssignment } from './identity/owner.ts'
import { createPrincipals } from './identity/principals.ts'
import { createSealer } from './identity/sealer.ts'
import { systemClock as clock } from './lib/clock.ts'
import { createClosing } from './lib/closing.ts'
import { originOf } from './lib/origin.ts'
import { attachProgram } from './operator/attach.ts'
import type { AttachRequest, ServerStatus } from './operator/contract.ts'
import { createHostPrograms } from './operator/host-programs.ts'
import { describeHost } from './operator/host-summary.ts'
import { listNetworks } from './operator/networks.ts'
import { serveOperator } from './operator/operator-api.ts'
import { createOwnWork } from './operator/own-work.ts'
import { principalOperations, removeRoles } from './operator/principals.ts'
import { createProgramHomes } from './operator/program-homes.ts'
import { createProgramIdentities } from './operator/program-identities.ts'
import { whatIsMissing } from './operator/readiness.ts'
import { resolveName } from './operator/resolve.ts'
import { describeServer } from './operator/server-status.ts'
import { createPlaces } from './places/create-places.ts'
import { createNamespaceDriver } from './places/namespace-driver.ts'
import { PlacesNotInEffect } from './places/place-errors.ts'
import { createCustomRoleSource } from './providers/authorization/custom-role-source.ts'
import { createAuthorizationProvider } from './providers/authorization/provider.ts'
import { createRoleAssignmentSource } from './providers/authorization/role-assignment-source.ts'
import { createContainerRegistryProvider } from './providers/container-registry/provider.ts'
import { createRegistryDirectory } from './providers/container-registry/registry-directory.ts'
import { createNetworkSource } from './providers/network/network-source.ts'
import { createNetworkProvider } from './providers/network/provider.ts'
import { privateDnsProvider } from './providers/private-dns/provider.ts'
import { createZoneSource } from './providers/private-dns/zone-source.ts'
import { resourcesProvider } from './providers/resources/provider.ts'
import { createRegistryPlane } from './registry/registry-plane.ts'
import type { ArmClient } from './rehearsal/arm-client.ts'
import { createChangeFeed } from './storage/create-change-feed.ts'
import {
  lockDataFolder,
  makeDataFolder,
  openInstallation,
  refuseIncomplete,
} from './storage/data-folder.ts'
import { refuseNewer } from './storage/data-too-new.ts'
import { openDatabase } from './storage/database.ts'
import { createFileBlobStore } from './storage/file-blob-store.ts'
import { openLogFile } from './storage/log-file.ts'

export interface Server {
  status(): Promise<ServerStatus>
  attach(request: AttachRequest): ReturnType<typeof attachProgram>
  /** A client of the public interface with the owner's rights, for as long as `work` takes. */
  asOwner<T>(work: (arm: ArmClient) => Promise<T>): Promise<T>
  /** Settles when `causeway down` asks for the end. */
  readonly shutDownAsked: Promise<void>
  /** Takes the places down, ends what runs, keeps the data. */
  close(): Promise<void>
}

interface Progress {
  step<T>(title: string, work: () => Promise<T>): Promise<T>
}

/**
 * The composition root: config, stores, identity, planes, places, in this order; the only file that knows all of them.
 *
 * @throws CannotStart
 */
export async function startServer(config: Config, progress: Progress): Promise<Server> {
  const closing = createClosing()
  try {
    return await compose(config, progress, closing)
  } catch (error) {
    await closing.close()
    throw error
  }
}

async function compose(
  config: Config,
  progress: Progress,
  closing: ReturnType<typeof createClosing>,
): Promise<Server> {
  const startedAt = clock.now().toISOString()
  const { privateEndpointsPerRegistry } = config
  const { hostNames } = config.controlPlane

  const folder = await makeDataFolder(config.dataFolder)
  const lock = lockDataFolder(folder)
  closing.add(() => lock.release())
  await refuseNewer(folder.database)
  await refuseIncomplete(folder)
  const { tenantId, subscriptionId, registryDomain } = await openInstallation(folder, config)
  const keys = await openKeys(folder.keys)
  const { log, reopen: reopenLog, close: closeLog } = openLogFile(folder.logFile, config.logLevel)
  closing.add(closeLog)

  const { version } = config
  const database = await openDatabase(folder.database, { version, step: progress.step })
  closing.add(() => database.close())
  const blobs = await createFileBlobStore(folder.blobs)

  const sealer = createSealer(keys.sealing)
  // What a secret was minted for runs: a program in a place, or the server's own work.
  const ownWork = createOwnWork()
  const isAwake = (owner: string): boolean =>
    ownWork.isAwake(owner) || homes.isAwake(owner) || identities.isAwake(owner)
  const principals = createPrincipals({ database, clock, isAwake })
  const running = () => [
    ...places.list().flatMap(({ programs }) => programs.map(({ id }) => id)),
    ...hostPrograms.running(),
  ]
  const identities = createProgramIdentities({ principals, running })
  const { clients, run } = folder
  const homes = createProgramHomes({ clients, run, principals, sealer, running })
  await homes.adopt()
  const owner = await openOwner(principals)
  const ownerName = owner.displayName
  const hostPrograms = createHostPrograms({
    principals,
    homes,
    tenantId,
    subscriptionId,
    ownerName,
  })
  const identity = await createIdentity({
    database,
    principals,
    keys,
    tenantId,
    hostNames,
    clock,
    log,
  })
  const { applications, credentials, tokens, authenticator, authority } = identity
  closing.add(() => authority.close())

  const feed = createChangeFeed({ log })
  const settings: Settings = {
    tenantId,
    subscriptionId,
    registryDomain,
    privateEndpointsPerRegistry,
  }
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
          const programs = places.list().flatMap((each) => each.programs)
          return programs.filter((each) => each.place === place).map(({ address }) => address)
        },
      }),
      privateDnsProvider,
      createContainerRegistryProvider({
        images: { copy: (request) => registry.copyImage(request) },
        content: { storedBytes: (uid) => registry.storedBytes(uid) },
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
    removeRoles: (objectId) => asOwner((arm) => removeRoles(objectId, arm)),
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
  const registry = createRegistryPlane({
    database,
    blobs,
    directory,
    identity: {
      verifyAccessToken: (token) => authenticator.byToken(token, ['arm', 'registry']),
      authenticate: authenticator.bySecret,
      byCredential: principals.byCredential,
      isAllowed: authorizer.isAllowed,
    },
    clock,
    log,
    secrets: keys,
    tenantId,
  })
  await registry.seed()
  await registry.retain(directory.list().map(({ uid }) => uid))
  feed.subscribe(() => registry.retain(directory.list().map(({ uid }) => uid)))

  const zones = await createZoneSource({ resources, feed })
  const names = createPublicNames({ directory, registryDomain })
  const resolver = createResolver({ zones, names })
  const dns = createDnsServer({ resolver, zones, names, log })

  const hostSource = createHostNameSource({ directory, registryDomain, addresses: config })
  const hostResolver = createHostResolver(hostSource)
  const hostDns = createDnsServer({
    resolver: hostResolver,
    zones: hostSource,
    names: hostSource,
    log,
  })

  const authorities = await openAuthorities(folder.authorities, { registryDomain, hostNames })
  const certificates = await openOwnCertificates(config.certificates, { log })
  closing.add(() => certificates.close())
  const planes: Planes = {
    control: (request, response) => control.app.routing(request, response),
    authority: (request, response) => authority.routing(request, response),
    registry: registry.handle,
    graph: (request, response) => graph.routing(request, response),
  }
  const front = createFront({ authorities, directory, planes, log })
  // Until all is in effect for the first time; then what is missing of it.
  let whyNotReady = (): readonly string[] => ['it is starting']
  const health = createHealth({ whyNotReady: () => whyNotReady() })
  const hostFront = createHostFront({
    authorities,
    certificates,
    directory,
    registryDomain,
    hostNames,
    planes,
    health,
    log,
  })

  const metadata = createInstanceMetadata({
    programAt: (place, address) => identities.at(place, address, places.list()),
    tokens,
    clock,
    log,
  })
  const networks = await createNetworkSource({ resources, feed })
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
  })
  closing.add(() => places.close())
  feed.subscribe(() => places.reconcile())
  // Before the places: a port that is taken is told of at once.
  const host = await hostFront.listenOnLoopback(config.port)
  closing.add(() => host.close())
  for (const address of hostAddresses(config)) {
    const listener = await hostFront.listenAt(address)
    closing.add(() => listener.close())
  }
  for (const address of config.health.listeners) {
    const listener = await listenForProbes(address, health)
    closing.add(() => listener.close())
  }
  const hostNamesServed = await serveNamesOnHost({ dns: hostDns, asked: config.names, clock, log })
  closing.add(() => hostNamesServed.close())
  const support = await places.support()
  if (support.available) {
    await progress.step('places', () => places.reconcile()).catch(toleratePartialEffect)
  }
  await homes.tidy()
  await identities.tidy()

  const url = `https://localhost:${host.port}`

  const { certificateFile } = authorities.host
  const asOwner: Server['asOwner'] = (task) =>
    ownWork.run(task, { owner, principals, url, certificateFile })
  const attach: Server['attach'] = (request) =>
    attachProgram(request, {
      places,
      networks,
      principals,
      tenantId,
      subscriptionId,
      homes,
      identities,
      ownerName,
    })
  const status: Server['status'] = async () =>
    describeServer({
      version: config.version,
      startedAt,
      dataFolder: folder.path,
      port: host.port,
      authorities,
      settings,
      host: describeHost({ config, port: host.port, names: hostNamesServed, certificates }),
      support,
      places: places.list(),
    })

  const { promise: shutDownAsked, resolve: shutDown } = Promise.withResolvers<void>()
  const operator = await serveOperator({
    socket: folder.operatorSocket,
    operations: {
      status,
      attach,
      startOnHost: hostPrograms.start,
      listNetworks: () => listNetworks(networks),
      reopenLog,
      shutDown,
      resolve: (request) => resolveName(request, { networks, resolver, hostResolver }),
      ...principalOperations({
        principals,
        applications,
        credentials,
        assignmentsOf,
        customRoleName: customRoles.nameOf,
        asOwner,
        tenantId,
        subscriptionId,
        ownerName,
      }),
    },
    log,
  })
  closing.add(() => operator.close())
  await control.start()
  whyNotReady = () => whatIsMissing({ support, places: places.list() })
  log.info({ version: config.version, port: host.port, mark: folder.mark }, 'serving')
  return { status, attach, asOwner, shutDownAsked, close: () => closing.close() }
}

/** The other places are in effect; the status tells of those that are not. */
function toleratePartialEffect(error: unknown): void {
  if (!(error instanceof PlacesNotInEffect)) throw error
}

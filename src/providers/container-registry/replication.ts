import { ArmError } from '../../arm/arm-error.ts'
import { createOnly, readOnly } from '../../arm/marks.ts'
import { type Context, defineResourceType, type Resource } from '../../arm/resource-type.ts'
import { type Static, Type } from '../../lib/schema.ts'
import type { ReplicaState } from '../../registry/replicas/replica-queue.ts'
import { API_VERSIONS } from './api-versions.ts'
import { parentRegistry } from './parent-registry.ts'
import { childNotFound, notSupportedForSku } from './registry-errors.ts'
import { REPLICATION, type Registry, uidOf } from './registry-properties.ts'
import { skuOf } from './sku.ts'
import type { StoredContent } from './usages.ts'

const replicationProperties = Type.Object({
  provisioningState: Type.Optional(readOnly(Type.String())),
  status: Type.Optional(
    readOnly(
      Type.Object({
        displayStatus: Type.String(),
        message: Type.Optional(Type.String()),
        timestamp: Type.String(),
      }),
    ),
  ),
  regionEndpointEnabled: Type.Boolean({ default: true }),
  zoneRedundancy: createOnly(Type.Enum(['Enabled', 'Disabled'], { default: 'Disabled' })),
})

type Replication = Resource<Static<typeof replicationProperties>>

/** The version from which replicas may be zone redundant. */
const ZONES_SINCE = '2020-11-01'

/**
 * A further region of a registry. Its status is that of its content: `Syncing` while blobs are still to be copied, with how
 * many and why the last one failed, where one did. Once there is one, the home region has an entry as well, which the platform writes
 * and which goes with the last other one.
 */
export const createReplicationType = (content: Pick<StoredContent, 'replicaState'>) =>
  defineResourceType({
    type: REPLICATION,
    apiVersions: API_VERSIONS,
    location: 'required',
    etag: 'none',
    showsSystemData: true,
    properties: replicationProperties,
    name: /^[a-zA-Z0-9]{1,50}$/,
    notFound: childNotFound,

    async validate(next, previous, context) {
      if (previous) return
      const registry = await parentRegistry(next.id, context)
      const sku = skuOf(registry)
      if (sku !== 'Premium') {
        throw notSupportedForSku(
          'ReplicationNotSupported',
          'Geo-replication',
          sku,
          'geo-replication',
        )
      }
      await requireNewRegion(next, registry, context)
    },

    provision: (next, context) => ({
      provisioningState: 'Succeeded',
      status: next.properties.status ?? readySince(context.now),
    }),

    async provisioned(stored, context) {
      const registry = await parentRegistry(stored.id, context)
      const others = await context.children(registry.id, REPLICATION)
      if (!registry.location || others.some((other) => other.location === registry.location)) return
      await context.write(`${registry.id}/replications/${registry.location}`, {
        location: registry.location,
        properties: {
          provisioningState: 'Succeeded',
          status: readySince(context.now),
          regionEndpointEnabled: true,
          zoneRedundancy: registry.properties.zoneRedundancy,
        },
      })
    },

    async deprovision(last, context) {
      const registry = await parentRegistry(last.id, context)
      const replications = await context.children(registry.id, REPLICATION)
      const home = replications.find((each) => each.location === registry.location)
      const away = replications.filter((each) => each.location !== registry.location)
      if (last.location === registry.location && away.length > 0) throw isHomeRegion(registry)
      if (home && away.every((each) => each.id === last.id)) await context.erase(home.id)
    },

    // As on registries: shown where there are none.
    presentTop: () => ({ tags: {} }),

    present: async (stored, context, apiVersion) => {
      const { properties } = stored
      const registry = uidOf(await parentRegistry(stored.id, context))
      const state = await content.replicaState({ registry, region: stored.location ?? '' })
      return {
        provisioningState: properties.provisioningState ?? 'Succeeded',
        status: state ? statusOf(state) : properties.status,
        regionEndpointEnabled: properties.regionEndpointEnabled,
        ...(apiVersion.slice(0, 10) >= ZONES_SINCE && {
          zoneRedundancy: properties.zoneRedundancy,
        }),
      }
    },
  })

function statusOf({ pendingBlobs, pendingBytes, since, lastError }: ReplicaState) {
  if (pendingBlobs === 0) return { displayStatus: 'Ready', timestamp: since }
  const waiting = `${pendingBlobs} blobs (${pendingBytes} bytes) are to be copied, the oldest since ${since}.`
  const message = lastError ? `${waiting} The last copy failed: ${lastError}` : waiting
  return { displayStatus: 'Syncing', message, timestamp: since }
}

const readySince = (now: Date) => ({ displayStatus: 'Ready', timestamp: now.toISOString() })

// How the service words the three refusals below is not verified.

async function requireNewRegion(next: Replication, registry: Registry, context: Context) {
  const region = next.location ?? ''
  if (region === registry.location) {
    throw new ArmError(400, {
      code: 'InvalidReplicationLocation',
      message: `The registry '${registry.name}' is in the location '${region}' itself. Replicate it to another location.`,
    })
  }
  const others = await context.children(registry.id, REPLICATION)
  const rival = others.find((other) => other.location === region)
  if (rival || next.name.toLowerCase() === registry.location) {
    throw new ArmError(409, {
      code: 'ReplicationAlreadyExists',
      message: rival
        ? `The registry '${registry.name}' already has the replication '${rival.name}' in the location '${region}'.`
        : `The name '${next.name}' is that of the home region's replication of the registry '${registry.name}'.`,
    })
  }
}

const isHomeRegion = (registry: Registry) =>
  new ArmError(400, {
    code: 'CannotDeleteHomeReplication',
    message: `The replication in the home location '${registry.location}' of the registry '${registry.name}' cannot be deleted.`,
  })

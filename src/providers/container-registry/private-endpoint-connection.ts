import { invalidProperty } from '../../arm/arm-error.ts'
import { readOnly } from '../../arm/marks.ts'
import { defineResourceType, type Resource } from '../../arm/resource-type.ts'
import { type Static, Type } from '../../lib/schema.ts'
import { API_VERSIONS } from './api-versions.ts'
import { childNotFound } from './registry-errors.ts'
import { CONNECTION } from './registry-properties.ts'

const connectionProperties = Type.Object({
  privateEndpoint: Type.Optional(readOnly(Type.Object({ id: Type.String() }))),
  privateLinkServiceConnectionState: Type.Object({
    status: Type.Enum(['Approved', 'Pending', 'Rejected', 'Disconnected']),
    description: Type.Optional(Type.String()),
    actionsRequired: Type.Optional(Type.Enum(['None', 'Recreate', ''])),
  }),
  provisioningState: Type.Optional(readOnly(Type.String())),
})

export type ConnectionProperties = Static<typeof connectionProperties>
export type Connection = Resource<ConnectionProperties>

/** A connection whose endpoint has not gone. */
export const isConnected = (connection: Pick<Connection, 'properties'>): boolean =>
  connection.properties.privateLinkServiceConnectionState.status !== 'Disconnected'

/** What ties a private endpoint to the registry. Endpoints make it; the registry's owner approves, rejects, deletes. */
export const privateEndpointConnection = defineResourceType({
  type: CONNECTION,
  apiVersions: API_VERSIONS,
  location: 'none',
  etag: 'none',
  properties: connectionProperties,
  notFound: childNotFound,
  writable: 'existing',

  validate(next) {
    if (isConnected(next)) return
    throw invalidProperty(
      'properties.privateLinkServiceConnectionState.status',
      'a connection is approved, rejected or pending; to disconnect its endpoint, delete it.',
    )
  },

  provision: (next, _context, previous) => ({
    privateLinkServiceConnectionState: mergeState(
      next.properties.privateLinkServiceConnectionState,
      previous?.properties.privateLinkServiceConnectionState,
    ),
    provisioningState: 'Succeeded',
  }),

  present: async (stored) => presentConnection(stored.properties),
})

type State = ConnectionProperties['privateLinkServiceConnectionState']

/** A description belongs to the decision it came with: it outlives a PUT without one only while the status stays. */
function mergeState(next: State, previous: State | undefined): State {
  if (!previous) return next
  const isDecided = next.status !== previous.status
  return { ...(isDecided ? {} : previous), ...next }
}

/** The properties as the service shows them: what is empty is left out. */
export function presentConnection(properties: ConnectionProperties): Record<string, unknown> {
  const { status, description, actionsRequired } = properties.privateLinkServiceConnectionState
  return {
    privateEndpoint: properties.privateEndpoint,
    privateLinkServiceConnectionState: {
      status,
      ...(description && { description }),
      ...(actionsRequired && { actionsRequired }),
    },
    provisioningState: properties.provisioningState ?? 'Succeeded',
  }
}

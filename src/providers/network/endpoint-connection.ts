import type { Context, PrivateLinkTarget, Resource } from '../../arm/resource-type.ts'
import { connectionOf } from './endpoint-request.ts'
import type {
  AskedConnection,
  ConnectionState,
  PrivateEndpointProperties,
} from './private-endpoint-schema.ts'

const AUTO_APPROVED: ConnectionState = {
  status: 'Approved',
  description: 'Auto-Approved',
  actionsRequired: 'None',
}
const PENDING: ConnectionState = { status: 'Pending', description: '', actionsRequired: 'None' }
export const DISCONNECTED: ConnectionState = {
  status: 'Disconnected',
  description: 'Deleted state',
  actionsRequired: 'None',
}

/** The state that a connection begins in. */
export const firstState = ({ way }: AskedConnection): ConnectionState =>
  way === 'automatic' ? AUTO_APPROVED : PENDING

/** The id of the resource that a new connection gets at its target: the service's own form of name. */
export function newConnectionId(
  { resource, connectionType }: PrivateLinkTarget,
  context: Context,
): string {
  const segment = connectionType.slice(connectionType.lastIndexOf('/') + 1)
  return `${resource.id}/${segment}/${resource.name}.${context.uuid().replaceAll('-', '')}`
}

/** Tells the target of its new connection. */
export async function writeConnection(
  stored: Resource<PrivateEndpointProperties>,
  context: Context,
): Promise<void> {
  const { connectionId } = stored.properties
  if (connectionId === undefined) return
  const { way, properties } = connectionOf(stored.properties)
  const message = properties.requestMessage
  await context.write(connectionId, {
    properties: {
      privateEndpoint: { id: stored.id },
      privateLinkServiceConnectionState:
        way === 'automatic'
          ? AUTO_APPROVED
          : { status: 'Pending', ...(message && { description: message }) },
      provisioningState: 'Succeeded',
    },
  })
}

/** What every target's connections have in common. */
export interface StoredConnection {
  readonly privateLinkServiceConnectionState: {
    readonly status: ConnectionState['status']
    readonly description?: string
    readonly actionsRequired?: string
  }
}

/** A connection's state in the endpoint's words. */
export function shownState(
  state: StoredConnection['privateLinkServiceConnectionState'],
): ConnectionState {
  if (state.status === 'Pending') return PENDING
  return {
    status: state.status,
    description: state.description ?? '',
    actionsRequired: state.actionsRequired || 'None',
  }
}

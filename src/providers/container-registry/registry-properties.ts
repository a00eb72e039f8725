import { createOnly, readOnly, secret } from '../../arm/marks.ts'
import type { Resource } from '../../arm/resource-type.ts'
import { type Static, Type } from '../../lib/schema.ts'
import { networkRuleSet } from './network-rules.ts'
import { policies } from './policies.ts'

export const REGISTRY = 'Microsoft.ContainerRegistry/registries'
export const REPLICATION = `${REGISTRY}/replications`
export const WEBHOOK = `${REGISTRY}/webhooks`
export const CONNECTION = `${REGISTRY}/privateEndpointConnections`
export const SCOPE_MAP = `${REGISTRY}/scopeMaps`
export const TOKEN = `${REGISTRY}/tokens`
export const CACHE_RULE = `${REGISTRY}/cacheRules`
export const CREDENTIAL_SET = `${REGISTRY}/credentialSets`

const onOff = (initially: 'Enabled' | 'Disabled') =>
  Type.Enum(['Enabled', 'Disabled'], { default: initially })

export const registryProperties = Type.Object({
  loginServer: Type.Optional(readOnly(Type.String())),
  creationDate: Type.Optional(readOnly(Type.String())),
  provisioningState: Type.Optional(readOnly(Type.String())),
  adminUserEnabled: Type.Boolean({ default: false }),
  networkRuleSet: Type.Optional(networkRuleSet),
  policies,
  encryption: Type.Object(
    { status: Type.Enum(['enabled', 'disabled'], { default: 'disabled' }) },
    { default: {} },
  ),
  dataEndpointEnabled: Type.Boolean({ default: false }),
  publicNetworkAccess: onOff('Enabled'),
  networkRuleBypassOptions: Type.Enum(['AzureServices', 'None'], { default: 'AzureServices' }),
  zoneRedundancy: createOnly(onOff('Disabled')),
  anonymousPullEnabled: Type.Boolean({ default: false }),
  metadataSearch: onOff('Disabled'),
  /** Tells this registry from an earlier or later one of the same name: content is kept under it. */
  uid: Type.Optional(readOnly(secret(Type.String()))),
  /** It has, or once had, a private endpoint: its public name leads through the private zone from then on. */
  privateLinked: Type.Optional(readOnly(secret(Type.Boolean()))),
  /** The admin user's two passwords, sealed. They stay when the admin user is switched off. */
  adminPasswords: Type.Optional(readOnly(secret(Type.Array(Type.String())))),
})

export type RegistryProperties = Static<typeof registryProperties>
export type Registry = Resource<RegistryProperties>

/** The uid that every stored registry has. */
export function uidOf(registry: Registry): string {
  const { uid } = registry.properties
  if (!uid) throw new Error(`${registry.id} has no uid`)
  return uid
}

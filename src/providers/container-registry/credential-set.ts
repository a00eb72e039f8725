import { ArmError, invalidProperty } from '../../arm/arm-error.ts'
import { createOnly, readOnly, secret } from '../../arm/marks.ts'
import { type Context, defineResourceType, type Resource } from '../../arm/resource-type.ts'
import { isObject } from '../../arm/shape.ts'
import { type Static, Type } from '../../lib/schema.ts'
import { API_VERSIONS } from './api-versions.ts'
import { parseHost } from './cached-repository.ts'
import { childNotFound } from './registry-errors.ts'
import { CACHE_RULE, CREDENTIAL_SET } from './registry-properties.ts'
import { isSecretIdentifier, type VaultSecrets } from './vault-secrets.ts'

const credentialSetProperties = Type.Object({
  loginServer: createOnly(Type.String()),
  authCredentials: Type.Array(
    Type.Object({
      name: Type.Enum(['Credential1'], { default: 'Credential1' }),
      usernameSecretIdentifier: Type.String(),
      passwordSecretIdentifier: Type.String(),
    }),
    { minItems: 1, maxItems: 1 },
  ),
  creationDate: Type.Optional(readOnly(Type.String())),
  provisioningState: Type.Optional(readOnly(Type.String())),
  /** Of the identity that the service gives it; here nobody signs in as it. */
  principalId: Type.Optional(readOnly(secret(Type.String()))),
  tenantId: Type.Optional(readOnly(secret(Type.String()))),
})

export type CredentialSet = Resource<Static<typeof credentialSetProperties>>

const credentialSetTop = Type.Object({
  identity: Type.Optional(
    Type.Object({
      type: Type.Enum(['None', 'SystemAssigned', 'UserAssigned', 'SystemAssigned, UserAssigned']),
    }),
  ),
})

/** With what cache rules sign in to one registry elsewhere: names of secrets, whose values the operator keeps. */
export const createCredentialSetType = (secrets: VaultSecrets) =>
  defineResourceType({
    type: CREDENTIAL_SET,
    apiVersions: API_VERSIONS,
    location: 'none',
    etag: 'none',
    showsSystemData: true,
    properties: credentialSetProperties,
    top: credentialSetTop,
    // `CredentialSetNameParameter` of the API document.
    name: /^[a-zA-Z0-9-]{5,50}$/,
    notFound: childNotFound,

    validate(next) {
      requireSystemIdentity(next)
      const { loginServer, authCredentials } = next.properties
      if (parseHost(loginServer) !== loginServer) {
        throw invalidProperty(
          'properties.loginServer',
          `'${loginServer}' is not the address of a registry: give a host name in lower case, 'registry.example.com'.`,
        )
      }
      for (const [index, credential] of authCredentials.entries()) {
        for (const name of ['usernameSecretIdentifier', 'passwordSecretIdentifier'] as const) {
          if (isSecretIdentifier(credential[name])) continue
          throw invalidProperty(
            `properties.authCredentials[${index}].${name}`,
            `'${credential[name]}' is not of the form 'https://<vault>.vault.azure.net/secrets/<name>'.`,
          )
        }
      }
    },

    provision: ({ properties }, context) => ({
      creationDate: properties.creationDate ?? context.now.toISOString(),
      provisioningState: 'Succeeded',
      principalId: properties.principalId ?? context.uuid(),
      tenantId: context.settings.tenantId,
    }),

    deprovision: requireUnused,

    present: async ({ properties }) => ({
      ...properties,
      authCredentials: await Promise.all(
        properties.authCredentials.map(async (credential) => ({
          ...credential,
          credentialHealth: await healthOf(credential, secrets),
        })),
      ),
    }),

    presentTop: ({ top: { identity }, properties: { principalId, tenantId } }) =>
      isObject(identity) && identity.type === 'SystemAssigned'
        ? // In the order and the case in which the service was recorded.
          { identity: { principalId, tenantId, type: 'systemAssigned' } }
        : {},
  })

function requireSystemIdentity({ top: { identity } }: CredentialSet): void {
  if (!isObject(identity) || identity.type === 'None' || identity.type === 'SystemAssigned') return
  throw invalidProperty('identity.type', 'user-assigned identities are not available here.')
}

/** @throws ArmError 409; that the service refuses it as well is not verified */
async function requireUnused(last: CredentialSet, context: Context): Promise<void> {
  const [rule] = await context.referrers(last.id, CACHE_RULE)
  if (!rule) return
  throw new ArmError(409, {
    code: 'CredentialSetInUse',
    message: `The credential set '${last.name}' is used by the cache rule '${rule.name}'. Take it out of the rule first.`,
  })
}

/** The members are the service's; codes and words are not, for there is no vault here that could say them. */
async function healthOf(
  {
    usernameSecretIdentifier,
    passwordSecretIdentifier,
  }: CredentialSet['properties']['authCredentials'][number],
  secrets: VaultSecrets,
) {
  for (const identifier of [usernameSecretIdentifier, passwordSecretIdentifier]) {
    if ((await secrets.valueOf(identifier)) !== undefined) continue
    return {
      status: 'Unhealthy',
      errorCode: 'SecretNotFound',
      errorMessage: `No value is known here for '${identifier}'. Whoever runs this service adds it to the file that 'keyVault.secretsFile' of its configuration names.`,
    }
  }
  return { status: 'Healthy' }
}

import type { CredentialsOf } from '../../registry/cache/create-upstream.ts'
import type { CredentialSet } from './credential-set.ts'
import type { CommittedResources } from './registry-directory.ts'
import type { VaultSecrets } from './vault-secrets.ts'

/** The credentials of a set with the values that its secrets have now. */
export const createUpstreamCredentials =
  (resources: Pick<CommittedResources, 'get'>, secrets: VaultSecrets): CredentialsOf =>
  async (credentialSet) => {
    const set = await resources.get<CredentialSet['properties']>(credentialSet)
    const credential = set?.properties.authCredentials[0]
    if (!credential) return undefined
    const username = await secrets.valueOf(credential.usernameSecretIdentifier)
    const password = await secrets.valueOf(credential.passwordSecretIdentifier)
    return username !== undefined && password !== undefined ? { username, password } : undefined
  }

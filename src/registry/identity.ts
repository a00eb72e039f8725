import type { Principal } from '../identity/principal.ts'
import type { SignIn } from '../identity/principals.ts'

/** What the registry plane needs to know of people; owned by registry, implemented by identity. */
export interface RegistryIdentity {
  /** A token of the authority for Azure Resource Manager or for container registries. */
  verifyAccessToken(token: string): Promise<SignIn | undefined>
  /** A service principal's own secret. */
  authenticate(appId: string, secret: string): Promise<SignIn | undefined>
  /** The principal, as long as both it and this credential of it exist. */
  byCredential(credential: string): Promise<Principal | undefined>
  isAllowed(principal: Principal, action: string, scope: string): boolean
}

import type { Principal } from '../identity/principal.ts'

/** What the registry plane needs to know of people; owned by registry, implemented by identity. */
export interface RegistryIdentity {
  /** A token of the authority for Azure Resource Manager or for container registries. */
  verifyAccessToken(token: string): Promise<Principal | undefined>
  /** A service principal's own secret. */
  authenticate(appId: string, secret: string): Promise<Principal | undefined>
  isAllowed(principal: Principal, action: string, scope: string): boolean
}

/** Somebody who can be given rights. Ids are guids in lower case. */
export interface Principal {
  /** What role assignments name. */
  readonly objectId: string
  /** What signs in: `az login --service-principal -u <appId>`. */
  readonly appId: string
  readonly displayName: string
  readonly kind: 'ServicePrincipal' | 'User'
}

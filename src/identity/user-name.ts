/** The domain of the tenant's people. */
export const USER_DOMAIN = 'causeway.onmicrosoft.com'

/** What a person signs in with: the name itself where it is an address already. */
export const userPrincipalName = (displayName: string): string =>
  displayName.includes('@') ? displayName : `${displayName.replace(/\s+/g, '.')}@${USER_DOMAIN}`

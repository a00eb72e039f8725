import type { Application } from '../identity/applications.ts'
import type { Certificate, FederatedCredential, Password } from '../identity/credentials.ts'
import type { Principal } from '../identity/principal.ts'
import { userPrincipalName } from '../identity/user-name.ts'
import type { Entity } from './filter.ts'

/** What principals look like in Microsoft Graph: https://learn.microsoft.com/graph/api/resources/serviceprincipal */

/** An application with what it signs in with. */
export interface Registration extends Application {
  readonly passwords: readonly Password[]
  readonly certificates: readonly Certificate[]
}

export const showApplication = (registration: Registration): Entity => ({
  id: registration.id,
  deletedDateTime: null,
  appId: registration.appId,
  createdDateTime: registration.createdAt,
  displayName: registration.displayName,
  description: null,
  identifierUris: [],
  notes: null,
  signInAudience: 'AzureADMyOrg',
  tags: [],
  appRoles: [],
  requiredResourceAccess: [],
  publicClient: { redirectUris: [] },
  web: { homePageUrl: null, logoutUrl: null, redirectUris: [] },
  spa: { redirectUris: [] },
  ...showCredentials(registration),
})

export const showServicePrincipal = (registration: Registration, tenantId: string): Entity => ({
  id: registration.objectId,
  deletedDateTime: null,
  accountEnabled: true,
  alternativeNames: [],
  appDisplayName: registration.displayName,
  appId: registration.appId,
  appOwnerOrganizationId: tenantId,
  appRoleAssignmentRequired: false,
  createdDateTime: registration.createdAt,
  description: null,
  displayName: registration.displayName,
  homepage: null,
  notes: null,
  replyUrls: [],
  servicePrincipalNames: [registration.appId],
  servicePrincipalType: 'Application',
  signInAudience: 'AzureADMyOrg',
  tags: [],
  appRoles: [],
  oauth2PermissionScopes: [],
  ...showCredentials(registration),
})

export const showUser = (principal: Principal): Entity => ({
  id: principal.objectId,
  businessPhones: [],
  displayName: principal.displayName,
  givenName: null,
  jobTitle: null,
  mail: null,
  mobilePhone: null,
  officeLocation: null,
  preferredLanguage: null,
  surname: null,
  userPrincipalName: userPrincipalName(principal.displayName),
})

export const showPassword = (password: Password): Entity => ({
  customKeyIdentifier: null,
  displayName: password.displayName,
  endDateTime: password.expiresAt,
  hint: password.hint,
  keyId: password.id,
  secretText: null,
  startDateTime: password.startsAt,
})

export const showFederated = (credential: FederatedCredential): Entity => ({
  id: credential.id,
  name: credential.name,
  issuer: credential.issuer,
  subject: credential.subject,
  description: credential.description,
  audiences: credential.audiences,
})

const showCredentials = ({ passwords, certificates }: Registration) => ({
  keyCredentials: certificates.map(showCertificate),
  passwordCredentials: passwords.map(showPassword),
})

const showCertificate = ({ certificate, ...timed }: Certificate): Entity => ({
  customKeyIdentifier: certificate.fingerprint.replaceAll(':', ''),
  displayName: timed.displayName ?? certificate.subject,
  endDateTime: timed.expiresAt,
  key: null,
  keyId: timed.id,
  startDateTime: timed.startsAt,
  type: 'AsymmetricX509Cert',
  usage: 'Verify',
})

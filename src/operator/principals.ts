import { randomUUID, X509Certificate } from 'node:crypto'
import type { Applications } from '../identity/applications.ts'
import type { RoleAssignmentSource } from '../identity/authorizer.ts'
import { BUILT_IN_ROLES } from '../identity/built-in-roles.ts'
import { type Credentials, certificateOf } from '../identity/credentials.ts'
import type { Principal } from '../identity/principal.ts'
import { InvalidPrincipalName, PrincipalExists } from '../identity/principal-name.ts'
import type { Principals } from '../identity/principals.ts'
import { userPrincipalName } from '../identity/user-name.ts'
import type { ArmClient } from '../rehearsal/arm-client.ts'
import { ArmRefusal } from '../rehearsal/arm-client.ts'
import type {
  CreatedPrincipal,
  DescribedPrincipal,
  NewPrincipal,
  PrincipalSummary,
} from './contract.ts'
import { OperatorError } from './operator-error.ts'

export interface PrincipalOptions {
  readonly principals: Principals
  readonly applications: Pick<Applications, 'create' | 'enroll' | 'delete'>
  readonly credentials: Pick<Credentials, 'setCertificates'>
  readonly assignmentsOf: RoleAssignmentSource['assignmentsOf']
  /** By guid in lower case; undefined where there is no such role. */
  readonly customRoleName: (guid: string) => string | undefined
  readonly asOwner: <T>(work: (arm: ArmClient) => Promise<T>) => Promise<T>
  readonly tenantId: string
  readonly subscriptionId: string
  readonly ownerName: string
}

/** The owner's commands on principals. */
export const principalOperations = (options: PrincipalOptions) => ({
  createPrincipal: (request: NewPrincipal) => createPrincipal(request, options),
  listPrincipals: () => listPrincipals(options),
  showPrincipal: (name: string) => showPrincipal(name, options),
  deletePrincipal: (name: string) => deletePrincipal(name, options),
  resetPrincipal: (name: string) => resetPrincipal(name, options),
})

const SCOPE = /^\/subscriptions\/[^?#\\]+$/i
const ROLE_ASSIGNMENTS = '/providers/Microsoft.Authorization/roleAssignments'

/** Makes a service principal and, where a role is named, its role assignment; either both or neither. */
export async function createPrincipal(
  request: NewPrincipal,
  options: PrincipalOptions,
): Promise<CreatedPrincipal> {
  const { principals, tenantId, subscriptionId } = options
  if (request.scope !== undefined && request.role === undefined) {
    throw new OperatorError(400, '--scope says where a role holds: add --role.')
  }
  const role = request.role === undefined ? undefined : findRole(request.role)
  const scope = (request.scope ?? `/subscriptions/${subscriptionId}`).replace(/\/+$/, '')
  if (!SCOPE.test(scope)) {
    throw new OperatorError(
      400,
      `--scope is the id of a subscription or of something in it: ${scope}`,
    )
  }
  const { principal, secret } = await make(request, options).catch((error) => {
    if (error instanceof InvalidPrincipalName) throw new OperatorError(400, error.message)
    if (!(error instanceof PrincipalExists)) throw error
    throw new OperatorError(409, `There is a principal '${request.name}' already.`)
  })
  if (role) {
    await assignRole(principal, role.id, scope, options).catch(async (error) => {
      await principals.delete(principal.objectId)
      throw error
    })
  }
  return {
    ...summaryOf(principal),
    ...(secret !== undefined && { secret }),
    ...userNameOf(principal),
    tenantId,
    subscriptionId,
    ...(role && { role: role.name, scope }),
  }
}

async function make(
  { name, certificate: pem, user }: NewPrincipal,
  { principals, applications, credentials }: PrincipalOptions,
): Promise<{ readonly principal: Principal; readonly secret?: string }> {
  if (pem === undefined) return principals.create(name, user ? 'User' : 'ServicePrincipal')
  if (user) throw new OperatorError(400, 'A person has a password: --user has no --certificate.')
  const certificate = parseCertificate(pem)
  const { id, objectId } = await applications.create(name)
  await credentials.setCertificates(objectId, [certificateOf(certificate)])
  await applications.enroll(id)
  const principal = await principals.byObjectId(objectId)
  if (!principal) throw new Error('a principal went as it came')
  return { principal }
}

function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    throw new OperatorError(400, 'The certificate cannot be read: it must be X.509 in PEM.', {
      cause: error,
    })
  }
}

/** Replaces the secrets of a principal by a new one; certificates stay. */
async function resetPrincipal(name: string, options: PrincipalOptions): Promise<CreatedPrincipal> {
  const { principals, tenantId, subscriptionId } = options
  const principal = await findPrincipal(name, principals)
  const reset = await principals.resetSecret(principal.objectId)
  if (!reset) throw noPrincipal(name)
  const { secret } = reset
  return { ...summaryOf(principal), secret, ...userNameOf(principal), tenantId, subscriptionId }
}

async function listPrincipals(options: PrincipalOptions): Promise<readonly DescribedPrincipal[]> {
  return (await options.principals.list()).map((principal) => describe(principal, options))
}

async function showPrincipal(name: string, options: PrincipalOptions): Promise<DescribedPrincipal> {
  return describe(await findPrincipal(name, options.principals), options)
}

const describe = (
  principal: Principal,
  { assignmentsOf, customRoleName }: PrincipalOptions,
): DescribedPrincipal => ({
  ...summaryOf(principal),
  ...userNameOf(principal),
  roles: assignmentsOf(principal.objectId).map(({ scope, roleId }) => {
    const guid = roleId.slice(roleId.lastIndexOf('/') + 1).toLowerCase()
    const builtIn = BUILT_IN_ROLES.find(({ id }) => id === guid)
    return { role: builtIn?.name ?? customRoleName(guid) ?? guid, scope }
  }),
})

/** Takes away its roles, then the principal: a failure in between leaves nothing that cannot be deleted again. */
export async function deletePrincipal(name: string, options: PrincipalOptions): Promise<void> {
  const { principals, ownerName, asOwner } = options
  const principal = await findPrincipal(name, principals)
  if (principal.displayName === ownerName) {
    throw new OperatorError(409, `'${ownerName}' owns this installation and cannot be deleted.`)
  }
  await asOwner((arm) => removeRoles(principal.objectId, arm))
  await principals.delete(principal.objectId)
}

/** Takes away every role that a principal has. */
export async function removeRoles(objectId: string, arm: ArmClient): Promise<void> {
  const { value } = await arm.send<{ readonly value: readonly { readonly id: string }[] }>(
    'GET',
    `${ROLE_ASSIGNMENTS}?$filter=principalId eq '${objectId}'`,
  )
  for (const { id } of value) await arm.send('DELETE', id)
}

/** @throws OperatorError 404 */
export async function findPrincipal(
  name: string,
  principals: Pick<Principals, 'byName'>,
): Promise<Principal> {
  const principal = await principals.byName(name)
  if (!principal) throw noPrincipal(name)
  return principal
}

const noPrincipal = (name: string): OperatorError =>
  new OperatorError(404, `There is no principal '${name}'; 'causeway principal list' names them.`)

const userNameOf = ({ kind, displayName }: Principal): { userName?: string } =>
  kind === 'User' ? { userName: userPrincipalName(displayName) } : {}

const summaryOf = (principal: Principal): PrincipalSummary => ({
  name: principal.displayName,
  kind: principal.kind,
  appId: principal.appId,
  objectId: principal.objectId,
})

function findRole(name: string) {
  const role = BUILT_IN_ROLES.find(
    (candidate) => candidate.name.toLowerCase() === name.toLowerCase() || candidate.id === name,
  )
  if (role) return role
  const known = BUILT_IN_ROLES.map((candidate) => candidate.name).join(', ')
  throw new OperatorError(400, `There is no role '${name}'. There are: ${known}.`)
}

async function assignRole(
  principal: Principal,
  roleId: string,
  scope: string,
  { asOwner, subscriptionId }: PrincipalOptions,
): Promise<void> {
  const id = `${scope}${ROLE_ASSIGNMENTS}/${randomUUID()}`
  const roleDefinitionId = `/subscriptions/${subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${roleId}`
  const { objectId: principalId, kind: principalType } = principal
  try {
    await asOwner((arm) =>
      arm.send('PUT', id, { properties: { roleDefinitionId, principalId, principalType } }),
    )
  } catch (error) {
    if (!(error instanceof ArmRefusal)) throw error
    throw new OperatorError(400, `The role cannot be given on ${scope}: ${error.message}`, {
      cause: error,
    })
  }
}

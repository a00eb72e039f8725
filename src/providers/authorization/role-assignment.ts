import { ArmError } from '../../arm/arm-error.ts'
import { readOnly } from '../../arm/marks.ts'
import { isSameId, isWithin, parseResourceId } from '../../arm/resource-id.ts'
import { type Context, defineResourceType, type Resource } from '../../arm/resource-type.ts'
import { type Static, Type } from '../../lib/schema.ts'
import { guidOf, roleDefinitionId } from './built-in-definition.ts'
import { parseTerms, unsupportedFilter } from './filter.ts'
import { findDefinition } from './role-definition.ts'
import { roleDefinitionDoesNotExist } from './role-errors.ts'

export const ROLE_ASSIGNMENT = 'Microsoft.Authorization/roleAssignments'

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

const properties = Type.Object({
  roleDefinitionId: Type.String(),
  principalId: Type.String(),
  principalType: Type.Enum(['ServicePrincipal', 'User'], { default: 'ServicePrincipal' }),
  description: Type.Optional(Type.String()),
  condition: Type.Optional(Type.String()),
  scope: readOnly(Type.String()),
  createdOn: readOnly(Type.String()),
  updatedOn: readOnly(Type.String()),
  createdBy: readOnly(Type.String()),
  updatedBy: readOnly(Type.String()),
})

export type RoleAssignmentProperties = Static<typeof properties>

/** Who may do what where; put on a subscription, a group or a resource. */
export function createRoleAssignment(options: {
  readonly principals: { exists(objectId: string): Promise<boolean> }
}) {
  return defineResourceType({
    type: ROLE_ASSIGNMENT,
    apiVersions: ['2022-04-01', '2020-10-01-preview', '2020-04-01-preview', '2015-07-01'],
    location: 'none',
    extension: true,
    etag: 'none',
    replacedStatus: 201,
    properties,

    async validate(next, previous, context) {
      const { name } = next
      if (!GUID.test(name)) throw invalidAssignmentId(name)
      // To drop a condition would give more than was asked for.
      if (next.properties.condition) throw conditionNotSupported()
      await requireRole(next, context)
      if (previous) return requireSameGrant(next.properties, previous.properties)
      await requirePrincipal(next.properties.principalId, context.settings.tenantId)
      const rivals = await context.children<RoleAssignmentProperties>(
        parseResourceId(next.id)?.parent ?? '',
        ROLE_ASSIGNMENT,
      )
      if (rivals.some((rival) => isSameGrant(rival.properties, next.properties))) {
        throw new ArmError(409, {
          code: 'RoleAssignmentExists',
          message: 'The role assignment already exists.',
        })
      }
    },

    provision(next, context, previous) {
      const now = context.now.toISOString()
      const by = context.principal.objectId
      const changed = previous?.properties.description !== next.properties.description
      return {
        roleDefinitionId: roleDefinitionId(guidOf(next.properties.roleDefinitionId), context),
        principalId: next.properties.principalId.toLowerCase(),
        scope: parseResourceId(next.id)?.parent ?? '/',
        createdOn: previous?.properties.createdOn ?? now,
        createdBy: previous?.properties.createdBy ?? by,
        updatedOn: previous && !changed ? previous.properties.updatedOn : now,
        updatedBy: previous && !changed ? previous.properties.updatedBy : by,
      }
    },

    // The service shows these where they have no value.
    present: async ({ properties: shown }) => ({
      roleDefinitionId: shown.roleDefinitionId,
      principalId: shown.principalId,
      principalType: shown.principalType,
      scope: shown.scope,
      condition: null,
      conditionVersion: null,
      createdOn: shown.createdOn,
      updatedOn: shown.updatedOn,
      createdBy: shown.createdBy,
      updatedBy: shown.updatedBy,
      delegatedManagedIdentityResourceId: null,
      description: shown.description ?? null,
    }),

    async list(scope, filter, context) {
      const passes = parseFilter(filter, scope)
      const all = await context.all<RoleAssignmentProperties>(ROLE_ASSIGNMENT)
      return all.filter(passes)
    },

    notFound: (id) => {
      const name = lastSegment(id)
      return new ArmError(404, {
        code: 'RoleAssignmentNotFound',
        message: `The role assignment '${name}' is not found.`,
      })
    },
  })

  async function requirePrincipal(principalId: string, tenantId: string): Promise<void> {
    if (!GUID.test(principalId)) {
      throw new ArmError(400, {
        code: 'InvalidPrincipalId',
        message: `The Principal ID '${principalId}' is not valid. Principal ID must be a GUID.`,
      })
    }
    if (await options.principals.exists(principalId.toLowerCase())) return
    throw new ArmError(400, {
      code: 'PrincipalNotFound',
      message:
        `Principal ${principalId.toLowerCase().replaceAll('-', '')} does not exist in the directory ${tenantId}. ` +
        'Check that you have the correct principal ID.',
    })
  }
}

/** A role of one's own exists only where it can be assigned. */
async function requireRole(
  next: Resource<RoleAssignmentProperties>,
  context: Context,
): Promise<void> {
  const { roleDefinitionId: wanted } = next.properties
  const role = await findDefinition(wanted, context)
  const scope = parseResourceId(next.id)?.parent ?? '/'
  if (role?.properties.assignableScopes.some((each) => isWithin(scope, each))) return
  throw roleDefinitionDoesNotExist(lastSegment(wanted))
}

function requireSameGrant(next: RoleAssignmentProperties, previous: RoleAssignmentProperties) {
  if (isSameGrant(next, previous)) return
  throw new ArmError(409, {
    code: 'RoleAssignmentUpdateNotPermitted',
    message: 'Tenant ID, application ID, principal ID, and scope are not allowed to be updated.',
  })
}

const lastSegment = (id: string) => id.slice(id.lastIndexOf('/') + 1)

const isSameGrant = (a: RoleAssignmentProperties, b: RoleAssignmentProperties) =>
  isSameId(a.principalId, b.principalId) &&
  isSameId(lastSegment(a.roleDefinitionId), lastSegment(b.roleDefinitionId))

const conditionNotSupported = () =>
  new ArmError(400, {
    code: 'RoleAssignmentConditionNotSupported',
    message: 'Conditions on role assignments are not supported.',
    target: 'properties.condition',
  })

const invalidAssignmentId = (name: string) =>
  new ArmError(400, {
    code: 'InvalidRoleAssignmentId',
    message: `The role assignment ID '${name}' is not valid. The role assignment ID must be a GUID.`,
  })

type Test = (assignment: Resource<RoleAssignmentProperties>) => boolean

/** Without `atScope()` a list also holds what lies below the scope. */
function parseFilter(filter: string | undefined, scope: string): Test {
  const terms = parseTerms(filter)
  const atScope = terms.some((term) => term.call === 'atscope')
  const counts: Test = ({ properties: { scope: own } }) =>
    isWithin(scope, own) || (!atScope && isWithin(own, scope))
  const tests = terms.map((term): Test => {
    if (term.call === 'atscope') return () => true
    const isPrincipal = term.field === 'principalid' || term.call === 'assignedto'
    if (!isPrincipal || term.value === undefined) throw unsupportedFilter(filter)
    const wanted = term.value
    return (assignment) => isSameId(assignment.properties.principalId, wanted)
  })
  return (assignment) => counts(assignment) && tests.every((test) => test(assignment))
}

import { ArmError } from '../../arm/arm-error.ts'
import { parseResourceId, type ResourceId } from '../../arm/resource-id.ts'
import type { Context } from '../../arm/resource-type.ts'

/**
 * Parses the id of another resource found in a body. `path` is where it stood.
 *
 * @throws ArmError 400 LinkedInvalidPropertyId for anything that is no resource's id.
 */
export function parseLinkedId(text: string, path: string): ResourceId {
  const id = parseResourceId(text)
  if (id?.namespace) return id
  throw new ArmError(400, {
    code: 'LinkedInvalidPropertyId',
    message:
      `Property id '${text}' at path '${path}' is invalid. Expect fully qualified resource Id that start with ` +
      "'/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.",
  })
}

/** What is being done, to which id. */
interface Deed {
  readonly action: string
  readonly id: string
}

/**
 * Whoever writes a resource that points at another needs a right on that one too.
 *
 * @throws ArmError 403 LinkedAuthorizationFailed
 */
export function requireLinkedRight(own: Deed, linked: Deed, context: Context): void {
  if (context.isAllowed(linked.action, linked.id)) return
  const { appId, objectId } = context.principal
  throw new ArmError(403, {
    code: 'LinkedAuthorizationFailed',
    message:
      `The client '${appId}' with object id '${objectId}' has permission to perform action '${own.action}' on scope ` +
      `'${own.id}'; however, it does not have permission to perform action(s) '${linked.action}' on the linked ` +
      `scope(s) '${linked.id}' (respectively) or the linked scope(s) are invalid.`,
  })
}

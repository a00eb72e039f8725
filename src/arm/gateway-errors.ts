import { GatewayError } from './arm-error.ts'
import type { ResourceId } from './resource-id.ts'

/** ARM's own refusals, in its words. */

const refuse = (status: number, code: string, message: string) =>
  new GatewayError(status, { code, message })

export const authenticationMissing = () =>
  refuse(
    401,
    'AuthenticationFailed',
    "Authentication failed. The 'Authorization' header is missing.",
  )

export const invalidToken = () =>
  refuse(401, 'InvalidAuthenticationToken', 'The access token is invalid.')

export const authorizationFailed = (
  principal: { readonly appId: string; readonly objectId: string },
  action: string,
  scope: string,
) =>
  refuse(
    403,
    'AuthorizationFailed',
    `The client '${principal.appId}' with object id '${principal.objectId}' does not have authorization to perform ` +
      `action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please ` +
      'refresh your credentials.',
  )

export const missingApiVersion = () =>
  refuse(
    400,
    'MissingApiVersionParameter',
    'The api-version query parameter (?api-version=) is required for all requests.',
  )

export const subscriptionNotFound = (subscriptionId: string) =>
  refuse(404, 'SubscriptionNotFound', `The subscription '${subscriptionId}' could not be found.`)

export const resourceGroupNotFound = (name: string) =>
  refuse(404, 'ResourceGroupNotFound', `Resource group '${name}' could not be found.`)

/** 404 for one resource; a group is named by its own code. */
export function resourceNotFound(id: ResourceId): GatewayError {
  if (!id.namespace) return resourceGroupNotFound(id.name)
  const where = id.resourceGroup ? ` under resource group '${id.resourceGroup}'` : ''
  return refuse(
    404,
    'ResourceNotFound',
    `The Resource '${shortName(id)}'${where} was not found. ` +
      'For more details please go to https://aka.ms/ARMResourceNotFoundFix',
  )
}

export const parentResourceNotFound = (
  type: string,
  parentId: string,
  verb: 'write' | 'delete' = 'write',
) =>
  refuse(
    404,
    'ParentResourceNotFound',
    `Failed to perform '${verb}' on resource(s) of type '${type.slice(type.indexOf('/') + 1)}', because the parent ` +
      `resource '${parentId}' could not be found.`,
  )

export const invalidNamespace = (namespace: string) =>
  refuse(404, 'InvalidResourceNamespace', `The resource namespace '${namespace}' is invalid.`)

export const invalidResourceType = (namespace: string, apiVersion: string) =>
  refuse(
    404,
    'InvalidResourceType',
    `The resource type could not be found in the namespace '${namespace}' for api version '${apiVersion}'.`,
  )

export function notRegistered(namespace: string): GatewayError {
  const code = 'MissingSubscriptionRegistration'
  const message = `The subscription is not registered to use namespace '${namespace}'. See https://aka.ms/rps-not-found for how to register subscriptions.`
  return new GatewayError(409, { code, message, details: [{ code, target: namespace, message }] })
}

export const invalidContent = (reason: string) =>
  refuse(
    400,
    'InvalidRequestContent',
    `The request content was invalid and could not be deserialized: '${reason}'.`,
  )

export const pathNotServed = () => refuse(404, 'NotFound', 'The requested path is not served here.')

export const methodNotAllowed = (method: string) =>
  refuse(
    405,
    'MethodNotAllowed',
    `The requested resource does not support http method '${method}'.`,
  )

/** `Microsoft.Network/virtualNetworks/a/subnets/b`. */
function shortName(id: ResourceId): string {
  const [namespace, ...types] = id.type.split('/')
  return [namespace, ...types.flatMap((type, index) => [type, id.names[index] ?? ''])].join('/')
}

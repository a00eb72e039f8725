import { findRegion, normaliseRegion, REGIONS } from '../lib/regions.ts'
import { GatewayError } from './arm-error.ts'
import { GROUP_TYPE } from './catalogue.ts'
import { parseResourceId } from './resource-id.ts'
import type { Resource, ResourceType } from './resource-type.ts'

/**
 * The location that a resource gets, in the form `westeurope`; undefined for a proxy resource.
 *
 * @throws ArmError 400 LocationRequired, 400 LocationNotAvailableForResourceType, 409 InvalidResourceLocation.
 */
export function settleLocation(
  type: ResourceType,
  id: string,
  given: unknown,
  previous: Resource | undefined,
): string | undefined {
  if (type.location === 'none') return undefined
  if (typeof given !== 'string' || given === '') {
    throw new GatewayError(400, {
      code: 'LocationRequired',
      message: 'The location property is required for this definition.',
    })
  }
  const location = normaliseRegion(given)
  const known = type.location === 'global' ? location === 'global' : findRegion(given)
  if (!known) throw unavailable(type, given)
  if (previous?.location && previous.location !== location) throw elsewhere(id, previous, location)
  return location
}

function unavailable(type: ResourceType, given: string): GatewayError {
  const regions =
    type.location === 'global' ? 'global' : REGIONS.map((region) => region.name).join(',')
  if (type.type === GROUP_TYPE) {
    return new GatewayError(400, {
      code: 'LocationNotAvailableForResourceGroup',
      message: `The provided location '${given}' is not available for resource group. List of available regions is '${regions}'.`,
    })
  }
  return new GatewayError(400, {
    code: 'LocationNotAvailableForResourceType',
    message:
      `The provided location '${given}' is not available for resource type '${type.type}'. ` +
      `List of available regions for the resource type is '${regions}'.`,
  })
}

function elsewhere(id: string, previous: Resource, location: string): GatewayError {
  if (previous.type === GROUP_TYPE) {
    return new GatewayError(409, {
      code: 'InvalidResourceGroupLocation',
      message: `Invalid resource group location '${location}'. The Resource group already exists in location '${previous.location}'.`,
    })
  }
  return new GatewayError(409, {
    code: 'InvalidResourceLocation',
    message:
      `The resource '${previous.name}' already exists in location '${previous.location}' in resource group ` +
      `'${parseResourceId(id)?.resourceGroup ?? ''}'. A resource with the same name cannot be created in location ` +
      `'${location}'. Please select a new resource name.`,
  })
}

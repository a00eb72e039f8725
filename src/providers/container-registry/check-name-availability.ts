import { invalidProperty } from '../../arm/arm-error.ts'
import type { SubscriptionAction } from '../../arm/resource-type.ts'
import { INVALID_NAME_MESSAGE } from './registry-errors.ts'
import { REGISTRY } from './registry-properties.ts'
import { findByName, isRegistryName } from './registry-rules.ts'

export const checkNameAvailability: SubscriptionAction = {
  method: 'POST',
  permission: 'Microsoft.ContainerRegistry/checkNameAvailability/read',
  run: async (_subscriptionId, body, context) => {
    const { name, type } = parseRequest(body)
    if (type.toLowerCase() !== REGISTRY.toLowerCase()) {
      throw invalidProperty('type', `it must be '${REGISTRY}'.`)
    }
    if (!isRegistryName(name)) {
      return { nameAvailable: false, reason: 'Invalid', message: INVALID_NAME_MESSAGE }
    }
    if (!(await findByName(name, context))) return { nameAvailable: true }
    return {
      nameAvailable: false,
      reason: 'AlreadyExists',
      message: `The registry ${name} is already in use.`,
    }
  },
}

function parseRequest(body: unknown): { name: string; type: string } {
  const { name, type } = typeof body === 'object' && body !== null ? (body as Request) : {}
  if (typeof name !== 'string') throw invalidProperty('name', 'it is required.')
  if (typeof type !== 'string') throw invalidProperty('type', 'it is required.')
  return { name, type }
}

interface Request {
  readonly name?: unknown
  readonly type?: unknown
}

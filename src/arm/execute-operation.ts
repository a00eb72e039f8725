import { deleteGroup } from './delete-group.ts'
import { resourceNotFound } from './gateway-errors.ts'
import type { Executor } from './operations.ts'
import { parseResourceId } from './resource-id.ts'
import type { Services } from './services.ts'
import type { Transactions } from './transactions.ts'

/** Does what operations are for. */
export function createExecutor(services: Services, transactions: Transactions): Executor {
  return async (input, signal) => {
    const { principal, target, targetMadeAt } = input
    if (input.kind === 'deleteGroup') {
      await transactions.mutate(principal, (unit) => deleteGroup(unit, target, targetMadeAt))
      return undefined
    }
    const context = transactions.standalone(principal, signal)
    const id = parseResourceId(target)
    const resource = await context.get(target)
    const isMeant = resource?.systemData.createdAt === targetMadeAt
    const action =
      resource && isMeant && services.catalogue.type(resource.type)?.actions?.[input.action ?? '']
    if (!id || !resource || !action) throw resourceNotFound(id ?? UNKNOWN)
    return action.run(resource, input.body, context, input.segments ?? [])
  }
}

const UNKNOWN = { id: '/', key: '/', type: '', name: '', names: [] }

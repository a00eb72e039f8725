import { parseListFilter } from '../../arm/list-filter.ts'
import { readOnly } from '../../arm/marks.ts'
import { defineResourceType } from '../../arm/resource-type.ts'
import { Type } from '../../lib/schema.ts'

const NAME = /^[\p{L}\p{N}_().-]{0,89}[\p{L}\p{N}_()-]$/u

export const resourceGroup = defineResourceType({
  type: 'Microsoft.Resources/resourceGroups',
  apiVersions: ['2025-04-01', '2024-03-01', '2022-09-01', '2021-04-01', '2020-06-01', '2019-10-01'],
  location: 'required',
  name: NAME,
  etag: 'none',
  properties: Type.Object({ provisioningState: Type.Optional(readOnly(Type.String())) }),
  top: Type.Object({ managedBy: Type.Optional(Type.String()) }),

  async list(_scope, filter, context) {
    const passes = parseListFilter(filter)
    const groups = await context.all<Record<string, unknown>>('Microsoft.Resources/resourceGroups')
    return groups.filter(passes)
  },
})

import type { Provider } from '../../src/arm/resource-type.ts'
import { resourcesProvider } from '../../src/providers/resources/provider.ts'
import type { TestArm } from '../support/arm.ts'
import { widgetsProvider } from '../support/widgets.ts'

/** A resource type to which ARM's rules are put. */
export interface Subject {
  readonly type: string
  /** All that has to be there for the type. */
  readonly providers: readonly Provider[]
  /** Makes what the resource needs and returns the path of its collection. */
  readonly prepare: (arm: TestArm) => Promise<string>
  readonly name: string
  readonly body: Readonly<Record<string, unknown>>
  /** A resource that clients cannot delete, or that ends by an operation. */
  readonly deletion?: 'operation' | 'refused'
  /** Proxies without tags are not asked about them. */
  readonly isTagged: boolean
}

const inGroup = (path: string) => async (arm: TestArm) => `${await arm.group()}/providers/${path}`

/** One for each type that clients write. */
export const SUBJECTS: readonly Subject[] = [
  {
    type: 'Microsoft.Resources/resourceGroups',
    providers: [resourcesProvider],
    prepare: async (arm) => `${arm.subscription}/resourceGroups`,
    name: 'Conforming',
    body: { location: 'westeurope' },
    deletion: 'operation',
    isTagged: true,
  },
  {
    type: 'Example.Test/widgets',
    providers: [widgetsProvider],
    prepare: inGroup('Example.Test/widgets'),
    name: 'Conforming',
    body: { location: 'westeurope', properties: {} },
    isTagged: true,
  },
  {
    type: 'Example.Test/widgets/parts',
    providers: [widgetsProvider],
    async prepare(arm) {
      const widgets = await inGroup('Example.Test/widgets')(arm)
      await arm.put(`${widgets}/w`, { location: 'westeurope', properties: {} })
      return `${widgets}/w/parts`
    },
    name: 'Conforming',
    body: { properties: { width: 2 } },
    isTagged: false,
  },
]

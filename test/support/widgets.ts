import Type from 'typebox'
import { ArmError } from '../../src/arm/arm-error.ts'
import { createOnly, readOnly, secret } from '../../src/arm/marks.ts'
import { defineResourceType, type Provider } from '../../src/arm/resource-type.ts'

const WIDGET = 'Example.Test/widgets'
const PART = 'Example.Test/widgets/parts'
const TIE = 'Example.Test/ties'

const widget = defineResourceType({
  type: WIDGET,
  apiVersions: ['2024-01-01'],
  location: 'required',
  name: /^[a-z0-9-]{1,20}$/i,
  etag: 'weak',
  noun: 'Widget',
  showsSystemData: true,
  top: Type.Object({
    sku: Type.Object({ name: Type.Enum(['Basic', 'Premium']) }, { default: { name: 'Basic' } }),
  }),
  presentTop: ({ top }) => ({ sku: { ...(top.sku as object), tier: 'Shown' } }),
  properties: Type.Object({
    size: Type.Integer({ default: 1, minimum: 0 }),
    material: Type.Optional(createOnly(Type.String())),
    serial: readOnly(Type.String()),
    password: Type.Optional(secret(Type.String())),
    options: Type.Optional(
      Type.Object({
        mode: Type.Enum(['On', 'Off'], { default: 'Off' }),
        since: Type.Optional(readOnly(Type.String())),
      }),
    ),
    ties: readOnly(Type.Array(Type.String(), { default: [] })),
  }),
  provision: (_next, context, previous) => ({
    serial: previous?.properties.serial ?? context.uuid(),
  }),
  async deprovision(last, context) {
    const [tie] = await context.referrers(last.id, TIE)
    if (tie) throw new ArmError(409, { code: 'InUse', message: `${tie.name} holds it` })
  },
  async reconcile(current, context) {
    const ties = await context.referrers(current.id, TIE)
    return { ...current.properties, ties: ties.map((each) => each.name) }
  },
  actions: {
    reveal: {
      method: 'POST',
      run: async (target: { readonly properties: { password?: string } }) => ({
        password: target.properties.password,
      }),
    },
    weigh: { method: 'GET', run: async (_target, _body, _context, segments) => ({ segments }) },
    paint: {
      method: 'POST',
      asynchronous: true,
      async run(target: { readonly id: string }, body, context) {
        const wanted = (body as { color?: string } | undefined)?.color
        if (wanted !== 'red') throw new ArmError(400, { code: 'BadColor', message: 'Only red.' })
        await context.put(`${target.id}/parts/paint`, { properties: {} })
        return { color: wanted }
      },
    },
    crash: {
      method: 'POST',
      async run(target: { readonly id: string }, _body, context) {
        await context.put(`${target.id}/parts/half`, { properties: {} })
        throw new Error('the reason stays inside')
      },
    },
  },
})

const part = defineResourceType({
  type: PART,
  apiVersions: ['2024-01-01'],
  location: 'none',
  etag: 'bare',
  bareErrors: true,
  properties: Type.Object({
    provisioningState: Type.Optional(readOnly(Type.String())),
    width: Type.Optional(Type.Integer()),
    /** What the part's widget had as its size when the part was last reconciled. */
    size: Type.Optional(readOnly(Type.Integer())),
  }),
  validate(next) {
    if (next.properties.width === 13) {
      throw new ArmError(400, { code: 'Unlucky', message: 'Thirteen is refused.' })
    }
  },
  async reconcile(current, context) {
    const parent = await context.get<{ size: number }>(current.id.replace(/\/parts\/[^/]+$/, ''))
    return parent && { ...current.properties, size: parent.properties.size }
  },
})

/** Holds a widget; two ties that mirror each other never settle. */
const tie = defineResourceType({
  type: TIE,
  apiVersions: ['2024-01-01'],
  location: 'none',
  etag: 'none',
  properties: Type.Object({
    widget: Type.Object({ id: Type.String() }),
    seen: Type.Optional(readOnly(Type.Boolean())),
    restless: Type.Optional(Type.Boolean()),
    turns: readOnly(Type.Integer({ default: 0 })),
  }),
  references: ({ properties }) => [properties.widget.id],
  async reconcile(current, context) {
    const seen = (await context.get(current.properties.widget.id)) !== undefined
    const { turns, restless } = current.properties
    return { ...current.properties, seen, turns: restless ? turns + 1 : turns }
  },
})

/** A namespace that shows what the engine does with marks, children, references and actions. */
export const widgetsProvider: Provider = {
  namespace: 'Example.Test',
  registeredByDefault: false,
  types: [widget, part, tie],
  collections: { [`${WIDGET}/everything`]: [PART] },
  subscriptionActions: {
    greet: {
      method: 'POST',
      permission: 'greet/action',
      run: async (subscriptionId, body) => ({ subscriptionId, body }),
    },
  },
}

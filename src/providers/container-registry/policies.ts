import { readOnly, secret } from '../../arm/marks.ts'
import { type Static, Type } from '../../lib/schema.ts'
import { tagImmutabilityPolicy } from './tag-immutability.ts'

const status = (initially: 'enabled' | 'disabled') =>
  Type.Enum(['enabled', 'disabled'], { default: initially })

const lastUpdatedTime = Type.Optional(readOnly(Type.String()))

/** The policies of a registry with the service's defaults; every registry has them all, but for the last, which is our own. */
export const policies = Type.Object(
  {
    quarantinePolicy: Type.Object({ status: status('disabled') }, { default: {} }),
    trustPolicy: Type.Object(
      { type: Type.Enum(['Notary'], { default: 'Notary' }), status: status('disabled') },
      { default: {} },
    ),
    retentionPolicy: Type.Object(
      {
        days: Type.Integer({ default: 7, minimum: 0, maximum: 365 }),
        lastUpdatedTime,
        /** Since when it has been on: manifests that had lost their tags before are none of its business. */
        enabledSince: Type.Optional(readOnly(secret(Type.String()))),
        status: status('disabled'),
      },
      { default: {} },
    ),
    exportPolicy: Type.Object({ status: status('enabled') }, { default: {} }),
    azureADAuthenticationAsArmPolicy: Type.Object({ status: status('enabled') }, { default: {} }),
    softDeletePolicy: Type.Object(
      {
        retentionDays: Type.Integer({ default: 7, minimum: 1, maximum: 90 }),
        lastUpdatedTime,
        status: status('disabled'),
      },
      { default: {} },
    ),
    tagImmutabilityPolicy,
  },
  { default: {} },
)

export type Policies = Static<typeof policies>

/** The policies with the time of their last change: now, for those that differ from `previous`. */
export function stampPolicies(next: Policies, previous: Policies | undefined, now: Date): Policies {
  const stamp = <P extends { status: string; lastUpdatedTime?: string }>(
    after: P,
    before: P | undefined,
    days: (policy: P) => number,
  ): P => {
    const isSame = before && before.status === after.status && days(before) === days(after)
    return { ...after, lastUpdatedTime: (isSame && before.lastUpdatedTime) || now.toISOString() }
  }
  const { enabledSince: _, ...retention } = next.retentionPolicy
  const before = previous?.retentionPolicy
  const wasEnabled = before?.status === 'enabled' && (before.enabledSince ?? before.lastUpdatedTime)
  return {
    ...next,
    retentionPolicy: {
      ...stamp(retention, before, (it) => it.days),
      ...(retention.status === 'enabled' && { enabledSince: wasEnabled || now.toISOString() }),
    },
    softDeletePolicy: stamp(
      next.softDeletePolicy,
      previous?.softDeletePolicy,
      (it) => it.retentionDays,
    ),
  }
}

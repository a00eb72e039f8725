import { invalidProperty } from '../../arm/arm-error.ts'
import { Type } from '../../lib/schema.ts'
import type { Policies } from './policies.ts'
import type { Registry } from './registry-properties.ts'

const PATTERNS_MAX = 100
/** A repository's name, or how it begins: letters, digits and separators, with a `*` for the rest. */
const PATTERN = /^[a-z0-9][a-z0-9._/-]{0,254}\*?$|^\*$/

/**
 * The first push of a tag wins: where it is enabled, tags of the repositories that the patterns name cannot be moved to
 * another manifest. The service has no such policy, so a registry has it only where somebody has set it.
 */
export const tagImmutabilityPolicy = Type.Optional(
  Type.Object({
    status: Type.Enum(['enabled', 'disabled'], { default: 'disabled' }),
    patterns: Type.Array(Type.String(), { default: ['*'] }),
  }),
)

/** As the registry plane has it: the patterns, none where the policy is off. */
export function immutableTagsIn({ properties }: Registry): readonly string[] {
  const policy = properties.policies.tagImmutabilityPolicy
  return policy?.status === 'enabled' ? policy.patterns : []
}

/** @throws ArmError 400 for a pattern that names no repository */
export function requireValidPatterns({ tagImmutabilityPolicy }: Policies): void {
  const path = 'properties.policies.tagImmutabilityPolicy.patterns'
  const patterns = tagImmutabilityPolicy?.patterns ?? []
  if (patterns.length > PATTERNS_MAX) {
    throw invalidProperty(path, `has ${patterns.length} patterns; ${PATTERNS_MAX} are the most.`)
  }
  const wrong = patterns.find((pattern) => !PATTERN.test(pattern))
  if (wrong === undefined) return
  throw invalidProperty(
    path,
    `'${wrong}' is no repository. Give names, as 'prod/app', or beginnings of names, as 'prod/*' or '*'.`,
  )
}

import { ArmError, invalidProperty } from '../../arm/arm-error.ts'
import { parseResourceId } from '../../arm/resource-id.ts'
import { isAddress, parseCidr } from '../../lib/cidr.ts'
import { type Static, Type } from '../../lib/schema.ts'
import { IP_RULES_MAX, VIRTUAL_NETWORK_RULES_MAX } from './sku.ts'

const action = Type.Enum(['Allow'], { default: 'Allow' })

export const networkRuleSet = Type.Object({
  defaultAction: Type.Enum(['Allow', 'Deny'], { default: 'Allow' }),
  virtualNetworkRules: Type.Array(Type.Object({ action, id: Type.String() }), { default: [] }),
  ipRules: Type.Array(Type.Object({ action, value: Type.String() }), { default: [] }),
})

export type NetworkRuleSet = Static<typeof networkRuleSet>

const OPEN: NetworkRuleSet = { defaultAction: 'Allow', virtualNetworkRules: [], ipRules: [] }

/** The rules in force: a registry that never got any is open. */
export const networkRulesOf = (properties: { readonly networkRuleSet?: NetworkRuleSet }) =>
  properties.networkRuleSet ?? OPEN

/** Whether the rules say nothing that a registry without rules would not do. */
export const isOpen = (rules: NetworkRuleSet): boolean =>
  rules.defaultAction === 'Allow' &&
  rules.virtualNetworkRules.length === 0 &&
  rules.ipRules.length === 0

/** @throws ArmError 400 for what is neither an IPv4 address nor a prefix, no id of a subnet, or one too many. */
export function requireValidRules(rules: NetworkRuleSet): void {
  rules.ipRules.forEach(({ value }, index) => {
    if (isAddress(value) || parseCidr(value)) return
    throw invalidProperty(
      `properties.networkRuleSet.ipRules[${index}].value`,
      `'${value}' is neither an IPv4 address nor an IPv4 range in CIDR format.`,
    )
  })
  rules.virtualNetworkRules.forEach(({ id }, index) => {
    const type = parseResourceId(id)?.type.toLowerCase()
    if (type === 'microsoft.network/virtualnetworks/subnets') return
    throw invalidProperty(
      `properties.networkRuleSet.virtualNetworkRules[${index}].id`,
      `'${id}' is not the id of a subnet.`,
    )
  })
  requireAtMost(IP_RULES_MAX, rules.ipRules.length, 'IP rules')
  requireAtMost(
    VIRTUAL_NETWORK_RULES_MAX,
    rules.virtualNetworkRules.length,
    'virtual network rules',
  )
}

function requireAtMost(limit: number, count: number, what: string): void {
  if (count <= limit) return
  throw new ArmError(400, {
    code: 'QuotaExceeded',
    message: `A registry has at most ${limit} ${what}; ${count} were given.`,
  })
}

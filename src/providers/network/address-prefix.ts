import { type Cidr, formatCidr, parseCidr } from '../../lib/cidr.ts'
import { networkError } from './network-error.ts'

/**
 * Reads a prefix that a client gave for a resource.
 *
 * @throws ArmError 400 InvalidAddressPrefixFormat, or InvalidCIDRNotation where host bits are set.
 */
export function readAddressPrefix(text: string, resourceId: string): Cidr {
  const prefix = parseCidr(text)
  if (!prefix) {
    throw networkError(
      'InvalidAddressPrefixFormat',
      `Address prefix ${text} of resource ${resourceId} is not formatted correctly. It should follow CIDR notation, ` +
        'for example 10.0.0.0/24.',
    )
  }
  if (formatCidr(prefix) !== text) {
    throw networkError(
      'InvalidCIDRNotation',
      `The address prefix ${text} in resource ${resourceId} has an invalid CIDR notation. For the given prefix ` +
        `length, the address prefix should be ${formatCidr(prefix)}.`,
    )
  }
  return prefix
}

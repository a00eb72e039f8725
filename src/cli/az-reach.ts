/** Where a command of az runs: on the host, or in the `internet` place, out of which nothing leads. */
export type Reach = 'host' | 'internet'

/**
 * Commands known to ask nobody but the control plane, the authority and Microsoft Graph, each with all that stands
 * below it. What is missing here runs in the place, where it can do no harm: a mistake costs a detour.
 *
 * Source: azure-cli 2.45, `command_modules`; of `acr`, what neither imports `_docker_utils` nor follows a signed URL.
 */
const KNOWN_TO_STAY = [
  'account',
  'acr agentpool',
  'acr cache',
  'acr check-name',
  'acr config',
  'acr create',
  'acr credential',
  'acr credential-set',
  'acr delete',
  'acr encryption',
  'acr identity',
  'acr import',
  'acr list',
  'acr network-rule',
  'acr private-endpoint-connection',
  'acr private-link-resource',
  'acr replication',
  'acr scope-map',
  'acr show',
  'acr show-endpoints',
  'acr show-usage',
  'acr token',
  'acr update',
  'acr webhook',
  'ad',
  'cloud',
  'config',
  'configure',
  'deployment',
  'extension',
  'feature',
  'group',
  'identity',
  'lock',
  'login',
  'logout',
  'network list-usages',
  'network nic',
  'network nsg',
  'network private-dns',
  'network private-endpoint',
  'network private-endpoint-connection',
  'network private-link-resource',
  'network private-link-service',
  'network public-ip',
  'network vnet',
  'policy',
  'provider',
  'resource',
  'role',
  'tag',
  'version',
]

/** Takes the words before the first option, which alone choose the command: az knows no abbreviations, but any case. */
export function reachOf(words: readonly string[]): Reach {
  const end = words.findIndex((word) => word.startsWith('-'))
  // An option before the command could have a value that looks like one.
  if (end === 0) return 'internet'
  const command = words.slice(0, end < 0 ? words.length : end).map((word) => word.toLowerCase())
  const stays = KNOWN_TO_STAY.some((known) => isSameOrBelow(command, known.split(' ')))
  return stays || command.length === 0 ? 'host' : 'internet'
}

const isSameOrBelow = (command: readonly string[], known: readonly string[]): boolean =>
  known.every((word, position) => command[position] === word)

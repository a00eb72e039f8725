import { readConfig } from '../config.ts'
import type { Resolved, ResolveRequest } from '../operator/contract.ts'
import { describeDataFolder } from '../storage/data-folder.ts'
import { CommandError } from './command-error.ts'
import { createOperatorClient } from './operator-client.ts'
import { bad, good, print, printJson, strong, table } from './terminal.ts'

export interface ResolveFlags {
  readonly data?: string
  readonly vnet?: string
  readonly resourceGroup?: string
  readonly internet?: boolean
  readonly host?: boolean
  readonly json?: boolean
}

/** Tells what a name leads to as seen from somewhere, and why; exit code 0 only when it leads to something. */
export async function resolve(name: string, type: string, flags: ResolveFlags): Promise<number> {
  const where = whereOf(flags)
  const folder = await describeDataFolder((await readConfig(flags)).dataFolder)
  const server = createOperatorClient(folder.operatorSocket, folder.path)
  const resolved = await server.call<Resolved>('POST', '/resolutions', { where, name, type })
  if (flags.json) printJson(resolved)
  else describe(resolved)
  return resolved.answers.some((answer) => answer.type !== 'CNAME' || resolved.type === 'CNAME')
    ? 0
    : 1
}

function whereOf(flags: ResolveFlags): ResolveRequest['where'] {
  const { vnet, resourceGroup, internet, host } = flags
  const given = [vnet !== undefined, internet, host].filter(Boolean)
  if (given.length !== 1) {
    throw new CommandError('Say from where: either --vnet NAME, --internet or --host.', 2)
  }
  if (vnet !== undefined) return { network: vnet, resourceGroup }
  if (resourceGroup !== undefined) {
    throw new CommandError('--resource-group says where a network is: add --vnet.', 2)
  }
  return internet ? { internet: true } : { host: true }
}

function describe({ place, name, type, rcode, answers, reasons }: Resolved): void {
  const isFound = rcode === 'NOERROR' && answers.length > 0
  print(`${strong(name)} ${type} as seen from ${place}: ${isFound ? good(rcode) : bad(rcode)}`)
  if (answers.length > 0) {
    print()
    print(
      table(
        ['NAME', 'TTL', 'TYPE', 'VALUE'],
        answers.map((answer) => [answer.name, String(answer.ttl), answer.type, answer.value]),
      ),
    )
  }
  print()
  print(
    table(
      ['LOOKED UP', 'BECAUSE'],
      reasons.map((reason) => [reason.name, because(reason)]),
    ),
  )
}

const RULES: Readonly<Record<string, string>> = {
  public: 'a public name',
  'public-empty': 'a public name without such a record',
  'public-missing': 'no public name here',
  unknown: 'a name of nobody: there is no way from a place to other resolvers',
  loop: 'too long a chain of aliases',
  host: 'served on this host',
  'host-empty': 'served on this host, without such a record',
  'host-missing': 'below the registry domain, and no registry has it',
  foreign: 'not below the registry domain: the host answers for its own names only',
}

function because({ rule, zone, link, recordSet }: Resolved['reasons'][number]): string {
  if (zone === undefined) return RULES[rule] ?? rule
  const [zoneName, linkName] = [lastPart(zone), lastPart(link ?? '')]
  const told: Readonly<Record<string, string>> = {
    record: `record set ${recordSet}`,
    wildcard: `wildcard ${recordSet}`,
    empty: 'no record of the type',
    missing: 'no record of the name',
    redirect: 'no record of the name, and the link looks on publicly',
  }
  return `${told[rule] ?? rule} in the zone ${zoneName}, by its link ${linkName}`
}

const lastPart = (id: string): string => id.split('/').at(-1) ?? ''

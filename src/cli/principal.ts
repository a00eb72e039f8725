import { readConfig } from '../config.ts'
import type { CreatedPrincipal, PrincipalSummary } from '../operator/contract.ts'
import { describeDataFolder } from '../storage/data-folder.ts'
import { createOperatorClient, type OperatorClient } from './operator-client.ts'
import { print, printJson, strong, table } from './terminal.ts'

interface Flags {
  readonly data?: string
  readonly json?: boolean
}

export async function createPrincipal(
  name: string,
  flags: Flags & { role?: string; scope?: string },
): Promise<number> {
  const { role, scope } = flags
  const client = await connect(flags)
  const created = await client.call<CreatedPrincipal>('POST', '/principals', { name, role, scope })
  if (flags.json) {
    printJson(created)
    return 0
  }
  for (const [label, value] of [
    ['name', created.name],
    ['client id', created.appId],
    ['client secret', created.secret],
    ['tenant', created.tenantId],
    ['object id', created.objectId],
    ['role', created.role ?? 'none yet'],
    ['scope', created.scope ?? '-'],
  ] as const) {
    print(`${strong(label.padEnd(15))}${value}`)
  }
  print()
  print('The secret is not kept and not shown again.')
  return 0
}

export async function listPrincipals(flags: Flags): Promise<number> {
  const principals = await (await connect(flags)).call<PrincipalSummary[]>('GET', '/principals')
  if (flags.json) {
    printJson(principals)
    return 0
  }
  print(
    table(
      ['NAME', 'CLIENT ID', 'OBJECT ID'],
      principals.map((principal) => [principal.name, principal.appId, principal.objectId]),
    ),
  )
  return 0
}

export async function deletePrincipal(name: string, flags: Flags): Promise<number> {
  await (await connect(flags)).call('DELETE', `/principals/${encodeURIComponent(name)}`)
  print(`Deleted ${name}.`)
  return 0
}

async function connect(flags: Flags): Promise<OperatorClient> {
  const folder = await describeDataFolder(readConfig(flags).dataFolder)
  return createOperatorClient(folder.operatorSocket, folder.path)
}

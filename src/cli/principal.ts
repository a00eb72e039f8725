import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { readConfig } from '../config.ts'
import type { CreatedPrincipal, PrincipalSummary } from '../operator/contract.ts'
import { describeDataFolder } from '../storage/data-folder.ts'
import { CommandError } from './command-error.ts'
import { createOperatorClient, type OperatorClient } from './operator-client.ts'
import { print, printJson, strong, table } from './terminal.ts'

interface Flags {
  readonly data?: string
  readonly json?: boolean
}

export async function createPrincipal(
  name: string,
  flags: Flags & { role?: string; scope?: string; certificate?: string; user?: boolean },
): Promise<number> {
  const { role, scope } = flags
  const client = await connect(flags)
  const certificate = flags.certificate && (await readCertificate(flags.certificate))
  const request = { name, role, scope, certificate, user: flags.user }
  printPrincipal(await client.call<CreatedPrincipal>('POST', '/principals', request), flags)
  return 0
}

/** Gives a principal a new secret in place of those it has. */
export async function resetPrincipal(name: string, flags: Flags): Promise<number> {
  const client = await connect(flags)
  const path = `/principals/${encodeURIComponent(name)}/reset`
  printPrincipal(await client.call<CreatedPrincipal>('POST', path), flags)
  return 0
}

function printPrincipal(created: CreatedPrincipal, flags: Flags): void {
  if (flags.json) {
    printJson(created)
    return
  }
  for (const [label, value] of [
    ['name', created.name],
    ...(created.userName === undefined
      ? ([
          ['client id', created.appId],
          ['client secret', created.secret ?? 'none: the certificate signs in'],
        ] as const)
      : ([
          ['user name', created.userName],
          ['password', created.secret ?? ''],
        ] as const)),
    ['tenant', created.tenantId],
    ['object id', created.objectId],
    ...(created.role === undefined ? [] : [['role', created.role] as const]),
    ...(created.scope === undefined ? [] : [['scope', created.scope] as const]),
  ] as const) {
    print(`${strong(label.padEnd(15))}${value}`)
  }
  if (created.secret === undefined) return
  print()
  print('The secret is not kept and not shown again.')
}

/** The certificate alone, of a file that may hold its key as well: the key stays where it is. */
async function readCertificate(file: string): Promise<string> {
  const text = await readFile(file).catch((error: Error) => {
    throw new CommandError(`The certificate cannot be read: ${error.message}`)
  })
  try {
    return new X509Certificate(text).toString()
  } catch {
    throw new CommandError(`There is no certificate in ${file}: it must be X.509, in PEM or DER.`)
  }
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

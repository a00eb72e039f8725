import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { readConfig } from '../config.ts'
import type { CreatedPrincipal, DescribedPrincipal } from '../operator/contract.ts'
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
  const principals = await (await connect(flags)).call<DescribedPrincipal[]>('GET', '/principals')
  if (flags.json) {
    printJson(principals)
    return 0
  }
  print(
    table(
      ['NAME', 'KIND', 'SIGNS IN AS', 'ROLES'],
      principals.map(({ name, kind, appId, userName, roles }) => [
        name,
        KINDS[kind],
        userName ?? appId,
        roles.map(inShort).join(', ') || '-',
      ]),
    ),
  )
  return 0
}

/** Tells who a principal is and what it may do. */
export async function showPrincipal(name: string, flags: Flags): Promise<number> {
  const client = await connect(flags)
  const path = `/principals/${encodeURIComponent(name)}`
  const principal = await client.call<DescribedPrincipal>('GET', path)
  if (flags.json) {
    printJson(principal)
    return 0
  }
  const { kind, appId, userName, objectId, roles } = principal
  for (const [label, value] of [
    ['name', principal.name],
    ['kind', KINDS[kind]],
    userName === undefined ? ['client id', appId] : ['user name', userName],
    ['object id', objectId],
    ...(roles.length === 0 ? [['role', 'none']] : roles.map(inFull)),
  ] as const) {
    print(`${strong(label.padEnd(15))}${value}`)
  }
  return 0
}

const KINDS = { ServicePrincipal: 'program', User: 'person' } as const

type Role = DescribedPrincipal['roles'][number]

const inFull = ({ role, scope }: Role) =>
  ['role', `${role} on ${scope === '/' ? 'everything' : scope}`] as const

const inShort = ({ role, scope }: Role): string =>
  /^\/(subscriptions\/[^/]+)?$/i.test(scope) ? role : `${role} on ${scope.split('/').at(-1)}`

export async function deletePrincipal(name: string, flags: Flags): Promise<number> {
  await (await connect(flags)).call('DELETE', `/principals/${encodeURIComponent(name)}`)
  print(`Deleted ${name}.`)
  return 0
}

async function connect(flags: Flags): Promise<OperatorClient> {
  const folder = await describeDataFolder((await readConfig(flags)).dataFolder)
  return createOperatorClient(folder.operatorSocket, folder.path)
}

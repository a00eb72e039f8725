import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { inheritedEnvironment, sudoCaller } from '../config.ts'
import { isErrno } from '../lib/files.ts'
import { hasRootsRights } from '../places/rights.ts'
import { type Account, accountOf } from './account.ts'

/** Whose a data folder is, and so who serves it. */
export interface Owner {
  readonly uid: number
  readonly gid: number
  /** Absent for a number that is nobody's. */
  readonly account?: Account
}

/** The folder's owner; of one that is still to be made: who called through sudo, else whoever runs this process. */
export async function ownerOf(folder: string): Promise<Owner> {
  const user = await userOf(folder)
  const account = await accountOf(user.uid)
  return { ...user, ...(account && { account }) }
}

async function userOf(folder: string): Promise<{ uid: number; gid: number }> {
  try {
    const { uid, gid } = await stat(folder)
    return { uid, gid }
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
    const self = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
    return hasRootsRights() ? (sudoCaller(inheritedEnvironment()) ?? self) : self
  }
}

/**
 * What to put before a command so that it runs as the owner, with the capabilities named and no others. Only root can
 * run it.
 */
export function asOwner(owner: Owner, capabilities: readonly string[] = []): readonly string[] {
  const set = ['-all', ...capabilities.map((name) => `+${name}`)].join(',')
  return [
    'setpriv',
    ...[`--reuid=${owner.uid}`, `--regid=${owner.gid}`],
    // Groups are looked up by an account's name; who has no account has none.
    owner.account ? '--init-groups' : '--clear-groups',
    ...[`--inh-caps=${set}`, `--ambient-caps=${set}`, `--bounding-set=${set}`],
    '--no-new-privs',
    '--',
  ]
}

/** The environment of the owner's own processes: nothing in it leads to root's home. */
export function environmentOf(
  { uid, account }: Owner,
  added: Readonly<Record<string, string>>,
): Record<string, string> {
  const inherited = Object.entries(inheritedEnvironment()).flatMap(([name, value]) =>
    value === undefined || /^(SUDO_|XDG_)/.test(name) ? [] : [[name, value] as const],
  )
  const name = account?.name ?? String(uid)
  return {
    ...Object.fromEntries(inherited),
    ...{ HOME: account?.home ?? '/', USER: name, LOGNAME: name },
    ...added,
  }
}

/** Runs `causeway ARGS…` as the owner, without any of root's rights, and returns its exit code. Only root can. */
export async function runAsOwner(owner: Owner, args: readonly string[]): Promise<number> {
  const [file = '', ...identity] = asOwner(owner)
  const program = process.argv[1] ?? ''
  const child = spawn(
    file,
    [...identity, process.execPath, ...process.execArgv, program, ...args],
    {
      stdio: 'inherit',
      env: environmentOf(owner, {}),
    },
  )
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}

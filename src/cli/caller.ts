import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { inheritedEnvironment, sudoCaller } from '../config.ts'

/** As whom a program in a place runs, and what of its environment is that user's. */
export interface Caller {
  /** Undefined: as whoever runs this process. */
  readonly uid?: number
  readonly gid?: number
  readonly groups?: readonly number[]
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Who called: through sudo the user who did, with the variables that sudo had made root's. */
export async function findCaller(
  inherited: Readonly<Record<string, string | undefined>> = inheritedEnvironment(),
): Promise<Caller> {
  const user = sudoCaller(inherited)
  if (!user) return { environment: inherited }
  const account = await accountOf(user.uid)
  const environment = Object.fromEntries(
    Object.entries(inherited).filter(([name]) => !name.startsWith('SUDO_')),
  )
  // Groups are looked up by an account's name; who has no account has none.
  if (!account) return { ...user, groups: [], environment: { ...environment, ...NO_ACCOUNT } }
  const { name, home, shell } = account
  return {
    ...user,
    environment: { ...environment, USER: name, LOGNAME: name, HOME: home, SHELL: shell },
  }
}

const NO_ACCOUNT = { USER: undefined, LOGNAME: undefined, HOME: '/', SHELL: '/bin/sh' }

/** The user's entry where the machine keeps users, which need not be a file. */
async function accountOf(
  uid: number,
): Promise<{ name: string; home: string; shell: string } | undefined> {
  try {
    const { stdout } = await promisify(execFile)('getent', ['passwd', String(uid)])
    const [name = '', , , , , home = '', shell = ''] = stdout.trimEnd().split(':')
    return { name, home: home || '/', shell: shell || '/bin/sh' }
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

// 2 is how getent says that there is no such entry.
const isNotFound = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 2

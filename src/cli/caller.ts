import { inheritedEnvironment, sudoCaller } from '../config.ts'
import { becomeUser } from '../places/become-user.ts'
import { accountOf } from './account.ts'

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

/** What stands before a command on the host so that it runs as the caller. */
export const asCaller = ({ uid, gid, groups }: Caller): readonly string[] =>
  uid === undefined || gid === undefined ? [] : becomeUser({ uid, gid, groups })

const NO_ACCOUNT = { USER: undefined, LOGNAME: undefined, HOME: '/', SHELL: '/bin/sh' }

import { createHash } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import type { Principals, SignIn } from './principals.ts'

/** Signs a person in by name and password. Undefined for a wrong one of the two, 'locked' for who must wait. */
export type UserSignIn = (
  userName: string,
  password: string,
) => Promise<SignIn | 'locked' | undefined>

// As the service has it: https://learn.microsoft.com/entra/identity/authentication/howto-password-smart-lockout
const FAILURES_MAX = 10
export const LOCKED_SECONDS = 60
// Nobody fills the memory with names.
const NAMES_MAX = 1000

interface Failures {
  count: number
  lockedUntil: number
}

/** Lets nobody guess: after ten wrong passwords a name waits, whether there is somebody of that name or not. */
export function createUserSignIn(options: {
  readonly principals: Pick<Principals, 'authenticateUser'>
  readonly clock: Clock
}): UserSignIn {
  const { principals, clock } = options
  const failures = new Map<string, Failures>()

  function note(name: string, count: number, now: number): void {
    // Put at the end: the names that wait longest for their next failure are forgotten first.
    failures.delete(name)
    const lockedUntil = count >= FAILURES_MAX ? now + LOCKED_SECONDS : 0
    failures.set(name, { count, lockedUntil })
    const [oldest] = failures.keys()
    if (failures.size > NAMES_MAX && oldest !== undefined) failures.delete(oldest)
  }

  return async (userName, password) => {
    // Of one length each, whatever was typed; people also type passwords here.
    const name = createHash('sha256').update(userName.trim().toLowerCase()).digest('base64')
    const now = clock.now().getTime() / 1000
    const { count, lockedUntil } = failures.get(name) ?? { count: 0, lockedUntil: 0 }
    if (now < lockedUntil) return 'locked'
    // Counted before it is looked at: many at once are many.
    note(name, count + 1, now)
    const signIn = await principals.authenticateUser(userName, password)
    if (signIn) failures.delete(name)
    return signIn
  }
}

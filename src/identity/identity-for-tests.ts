import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import { type Database, openDatabase } from '../storage/database.ts'
import { type Keys, openKeys } from './keys.ts'
import { createPrincipals, type Principals } from './principals.ts'
import { createTokens, type Tokens } from './tokens.ts'

export const TENANT = 'b2b1d9a4-0a6e-4d51-9f0c-1d7a3a7f0c11'

export interface TestIdentity {
  readonly database: Database
  readonly keys: Keys
  readonly clock: Clock
  readonly principals: Principals
  readonly tokens: Tokens
  /** Moves the clock. */
  pass(seconds: number): void
}

/** Principals and tokens on a store of their own, with a clock that stands still; gone after the test. */
export async function identityFor(t: {
  after(hook: () => Promise<void>): void
}): Promise<TestIdentity> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-identity-'))
  const database = await openDatabase(join(folder, 'causeway.db'))
  t.after(async () => {
    await database.close()
    await rm(folder, { recursive: true })
  })
  let now = new Date()
  const clock = { now: () => now }
  const keys = await openKeys(join(folder, 'keys'))
  const principals = createPrincipals({ database, clock })
  return {
    database,
    keys,
    clock,
    principals,
    tokens: createTokens({ keys, clock, tenantId: TENANT, principals }),
    pass(seconds) {
      now = new Date(now.getTime() + seconds * 1000)
    },
  }
}

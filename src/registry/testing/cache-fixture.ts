import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { openServed } from '../../egress/egress-for-tests.ts'
import { setOrigin } from '../../lib/origin.ts'
import type { CacheRule } from '../cache/cache-rule.ts'
import type { CredentialsOf } from '../cache/create-upstream.ts'
import { ADMIN, type Fixture, startRegistry } from './registry-fixture.ts'

/** Answers in the source's place where it returns true. */
export type Intervene = (request: IncomingMessage, response: ServerResponse) => boolean

export const CREDENTIAL_SET = '/credentialSets/source'

/** A registry, and one elsewhere whose `team/…` it caches as `hub/…`: a real one, behind TLS, which asks for a sign-in. */
export async function startCache(t: TestContext, intervene: Intervene = () => false) {
  const source = await startRegistry(t)
  const served = await openServed(
    t,
    (request, response) => {
      if (intervene(request, response)) return
      setOrigin(request, { via: 'public', place: 'internet', address: '203.0.113.9' })
      source.plane.handle(request, response)
    },
    { patience: { firstByteSeconds: 1, idleSeconds: 1 } },
  )
  const credentialsOf: CredentialsOf = async (set) =>
    set === CREDENTIAL_SET ? { username: ADMIN.user, password: ADMIN.password } : undefined
  const target = await startRegistry(t, served.egress, credentialsOf)
  const host = new URL(served.urlOf('/')).host
  const rule: CacheRule = {
    name: 'hub-rule',
    host,
    sourceRepository: 'team/*',
    targetRepository: 'hub/*',
    credentialSet: CREDENTIAL_SET,
  }
  target.facts = { ...target.facts, cacheRules: [rule] }
  /** From now on the source answers to its name elsewhere; `asAddress` lets it take pushes meanwhile. */
  const open = (facts: Partial<Fixture['facts']> = {}) => {
    source.facts = { ...source.facts, loginServer: host, ...facts }
  }
  const asAddress = async <T>(work: () => Promise<T>): Promise<T> => {
    const { facts } = source
    source.facts = { ...facts, loginServer: source.address }
    try {
      return await work()
    } finally {
      source.facts = facts
    }
  }
  /** Requests for content, sign-ins and refused ones left out. */
  const asked = (part: string) =>
    served.requests
      .filter(({ url, headers }) => url?.includes(part) && headers.authorization !== undefined)
      .map(({ method, url }) => `${method} ${url?.split('/').at(-1)}`)
  return { ...served, source, target, host, rule, open, asAddress, asked }
}

/** Waits for what happens behind an answer. @throws Error after many looks */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let looks = 0; !(await isSo()); looks++) {
    if (looks > 20_000) throw new Error('it did not come so')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

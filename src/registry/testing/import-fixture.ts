import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { openServed } from '../../egress/egress-for-tests.ts'
import { setOrigin } from '../../lib/origin.ts'
import { type ImageCopy, ImageCopyError } from '../copy/image-copy.ts'
import { ADMIN, type Fixture, startRegistry } from './registry-fixture.ts'

const CREDENTIALS = { username: ADMIN.user, password: ADMIN.password }
const ERRAND = { who: 'a test' }

/** Answers in the source's place where it returns true. */
type Intervene = (request: IncomingMessage, response: ServerResponse) => boolean

/** A registry, and one elsewhere that it may import from: a real one, behind TLS, which asks for a sign-in. */
export async function startImport(t: TestContext, intervene: Intervene = () => false) {
  const source = await startRegistry(t)
  const served = await openServed(t, (request, response) => {
    if (intervene(request, response)) return
    setOrigin(request, { via: 'public', place: 'internet', address: '203.0.113.9' })
    source.plane.handle(request, response)
  })
  const target = await startRegistry(t, served.egress)
  const host = new URL(served.urlOf('/')).host
  const from = { host, credentials: CREDENTIALS }
  /** From now on it is the source by its name elsewhere, and no longer takes pushes by its address. */
  const open = (facts: Partial<Fixture['facts']> = {}) => {
    source.facts = { ...source.facts, loginServer: host, ...facts }
  }
  const copy = (change: Partial<ImageCopy> = {}, signal?: AbortSignal) =>
    target.plane.copyImage(
      {
        from,
        sourceImage: 'team/app:v1',
        to: { registryUid: 'uid-1', immutableTagsIn: [] },
        targetTags: ['app:v1'],
        untaggedTargetRepositories: [],
        force: false,
        ...change,
      },
      { ...ERRAND, ...(signal && { signal }) },
    )
  const asked = (part: string) => served.requests.filter(({ url }) => url?.includes(part))
  return { ...served, source, target, host, from, open, copy, asked }
}

/** Matches the refusal of an import. */
export const failsAs = (code: ImageCopyError['code']) => (error: unknown) =>
  error instanceof ImageCopyError && error.code === code

/** Nothing of an import is to be seen or half there. */
export async function assertNothingLeft(target: Fixture): Promise<void> {
  assert.deepEqual((await target.send('GET', '/v2/_catalog')).json(), { repositories: [] })
  await assertNoUploads(target)
}

export async function assertNoUploads(target: Fixture): Promise<void> {
  const uploads = join(target.folder, 'content', 'uploads')
  for (const registry of await readdir(uploads)) {
    assert.deepEqual(await readdir(join(uploads, registry)), [])
  }
}

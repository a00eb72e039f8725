import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContentChange } from '../registry/events/registry-events.ts'
import { actionOf, isInScope } from './webhook-event.ts'

const change = (rest: Partial<ContentChange>): ContentChange => ({
  operation: 'Push',
  status: 201,
  registry: 'uid',
  repository: 'app',
  ...rest,
})

for (const [scope, rest, expected] of [
  ['', { tag: 'v1' }, true],
  ['', { repository: 'team/other' }, true],
  ['app:*', { tag: 'v1' }, true],
  ['app:*', {}, true],
  ['app:*', { repository: 'app2', tag: 'v1' }, false],
  ['app:*', { repository: 'team/app', tag: 'v1' }, false],
  ['app:v1', { tag: 'v1' }, true],
  ['app:v1', { tag: 'v10' }, false],
  ['app:v1', {}, false],
  ['app', { tag: 'latest' }, true],
  ['app', { tag: 'v1' }, false],
  ['app:v1', { operation: 'Delete', formerTags: ['v0', 'v1'] }, true],
  ['app:v1', { operation: 'Delete', formerTags: [] }, false],
] as const) {
  test(`scope '${scope}' ${expected ? 'has' : 'lacks'} ${JSON.stringify(rest)}`, () => {
    assert.equal(isInScope({ scope }, change(rest)), expected)
  })
}

for (const [rest, expected] of [
  [{ operation: 'Push' }, 'push'],
  [{ operation: 'Import' }, 'push'],
  [{ operation: 'Delete', digest: 'sha256:1', mediaType: 'manifest' }, 'delete'],
  [{ operation: 'PurgeManifest', digest: 'sha256:1', mediaType: 'manifest' }, 'delete'],
  [{ operation: 'Delete' }, 'delete'],
  [{ operation: 'Delete', digest: 'sha256:1' }, undefined],
  [{ operation: 'Untag', tag: 'v1', digest: 'sha256:1' }, undefined],
] as const) {
  test(`${JSON.stringify(rest)} is told as ${expected ?? 'nothing'}`, () => {
    assert.equal(actionOf(change(rest)), expected)
  })
}

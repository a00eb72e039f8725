import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isInScope } from './repository-scopes.ts'

const SCOPES = new Map([
  ['samples/hello', ['pull', 'push']],
  ['samples/*', ['metadata_read']],
  ['team/a/*', ['delete']],
])
const ALL = new Map([['*', ['pull']]])

for (const [scopes, repository, action, expected] of [
  [SCOPES, 'samples/hello', 'pull', true],
  [SCOPES, 'samples/hello', 'push', true],
  // Both entries count, the narrow one does not hide the wide one.
  [SCOPES, 'samples/hello', 'metadata_read', true],
  [SCOPES, 'samples/hello', 'delete', false],
  [SCOPES, 'samples/other', 'pull', false],
  [SCOPES, 'samples/deep/er', 'metadata_read', true],
  // A prefix is not among what is below it, and ends at a slash.
  [SCOPES, 'samples', 'metadata_read', false],
  [SCOPES, 'samples2/hello', 'metadata_read', false],
  [SCOPES, 'samplesx', 'metadata_read', false],
  [SCOPES, 'team/a/b/c', 'delete', true],
  [SCOPES, 'team/a', 'delete', false],
  [SCOPES, 'team/ab/c', 'delete', false],
  [SCOPES, 'team/b/c', 'delete', false],
  [ALL, 'any/thing', 'pull', true],
  [ALL, 'thing', 'pull', true],
  [ALL, 'thing', 'push', false],
  [new Map(), 'thing', 'pull', false],
] as const) {
  test(`${[...scopes.keys()].join(' ')}: ${repository} ${action} is ${expected}`, () => {
    assert.equal(isInScope(scopes, repository, action), expected)
  })
}

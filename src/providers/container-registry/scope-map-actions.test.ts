import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ArmError } from '../../arm/arm-error.ts'
import { requireValidActions, scopesOf } from './scope-map-actions.ts'

for (const action of [
  'repositories/hello-world/content/read',
  'repositories/team/app/content/write',
  'repositories/team/app/content/delete',
  'repositories/a/metadata/read',
  'repositories/a/metadata/write',
  // The repository is all that stands before the last two words.
  'repositories/content/read/content/read',
  'repositories/samples/*/content/read',
  'repositories/a/b/*/metadata/write',
  'repositories/*/content/read',
]) {
  test(`'${action}' is an action`, () => {
    assert.doesNotThrow(() => requireValidActions([action]))
  })
}

for (const action of [
  '',
  'repositories/a',
  'repositories/a/content',
  'repositories/a/content/pull',
  'repositories/a/contentRead',
  'repositories//content/read',
  'repositories/content/read',
  'repositories/A/content/read',
  'repositories/a*/content/read',
  'repositories/*/b/content/read',
  'repositories/a/*/b/content/read',
  'repositories/**/content/read',
  'repositories/*/*/content/read',
  'repositories/a/content/*',
  'Repositories/a/content/read',
  'registry/catalog/read',
  'gateway/edge/config/read',
  `repositories/${'a'.repeat(256)}/content/read`,
]) {
  test(`400: '${action.slice(0, 60)}' is none`, () => {
    assert.throws(
      () => requireValidActions(['repositories/a/content/read', action]),
      (error) => error instanceof ArmError && error.body.target === 'properties.actions',
    )
  })
}

test('400: of connected registries it is said that there are none', () => {
  const isSaid = (error: unknown) =>
    error instanceof ArmError && /connected registries/.test(error.message)
  assert.throws(() => requireValidActions(['gateway/edge/message/write']), isSaid)
})

test('400: 501 actions are too many, 500 are not', () => {
  const actions = (count: number) =>
    Array.from({ length: count }, (_, index) => `repositories/r${index}/content/read`)
  assert.doesNotThrow(() => requireValidActions(actions(500)))
  assert.throws(() => requireValidActions(actions(501)), /at most 500 actions, and these are 501/)
})

test('actions of one repository come together, in the words of the registry', () => {
  const scopes = scopesOf([
    'repositories/a/content/read',
    'repositories/*/content/delete',
    'repositories/a/content/write',
    'repositories/b/*/metadata/read',
    'repositories/a/metadata/write',
  ])
  assert.deepEqual(
    [...scopes],
    [
      ['a', ['pull', 'push', 'metadata_write']],
      ['*', ['delete']],
      ['b/*', ['metadata_read']],
    ],
  )
})

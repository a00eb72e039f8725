import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ArmError } from '../../arm/arm-error.ts'
import { parseImport } from './parse-import.ts'

const digest = `sha256:${'a'.repeat(64)}`

test('the body that az sends for a public image', () => {
  assert.deepEqual(
    parseImport({
      source: { registryUri: 'mcr.microsoft.com', sourceImage: 'hello-world:latest' },
      targetTags: ['hello-world:latest'],
      mode: 'NoForce',
    }),
    {
      source: { host: 'mcr.microsoft.com' },
      image: { repository: 'hello-world', suffix: ':latest' },
      targetTags: ['hello-world:latest'],
      untaggedTargetRepositories: [],
      force: false,
    },
  )
})

test('a target without a tag gets the tag of the source', () => {
  const { targetTags } = parseImport({
    source: { registryUri: 'mcr.microsoft.com', sourceImage: 'hello-world:v2' },
    targetTags: ['samples/hello'],
  })
  assert.deepEqual(targetTags, ['samples/hello:v2'])
})

test('an image by digest goes to a repository without a tag', () => {
  const request = parseImport({
    source: { resourceId: '/subscriptions/s', registryUri: null, sourceImage: `app@${digest}` },
    untaggedTargetRepositories: ['copy/app'],
    mode: 'force',
  })
  assert.deepEqual(request, {
    source: { resourceId: '/subscriptions/s' },
    image: { repository: 'app', suffix: `@${digest}` },
    targetTags: [],
    untaggedTargetRepositories: ['copy/app'],
    force: true,
  })
})

for (const [registryUri, host] of [
  ['docker.io', 'docker.io'],
  ['https://Registry.Example.com:443/', 'registry.example.com'],
  ['registry.example.com.', 'registry.example.com'],
  ['registry.example.com:5000', 'registry.example.com:5000'],
  ['registry.example.com.:5000', 'registry.example.com:5000'],
  ['2130706433', '127.0.0.1'],
  ['[::1]:5000', '[::1]:5000'],
] as const) {
  test(`the address ${registryUri} is the host ${host}`, () => {
    const body = { source: { registryUri, sourceImage: 'a' }, targetTags: ['a:b'] }
    assert.deepEqual(parseImport(body).source, { host })
  })
}

test('credentials are a name and a password, or a password alone', () => {
  const parse = (credentials: unknown) =>
    parseImport({
      source: { registryUri: 'a.test', sourceImage: 'a', credentials },
      targetTags: ['a:b'],
    }).source
  assert.deepEqual(parse({ username: 'u', password: 'p' }), {
    host: 'a.test',
    credentials: { username: 'u', password: 'p' },
  })
  for (const username of [undefined, null, '']) {
    assert.deepEqual(parse({ username, password: 'p' }), {
      host: 'a.test',
      credentials: { password: 'p' },
    })
  }
  assert.deepEqual(parse(null), { host: 'a.test' })
})

const source = { registryUri: 'mcr.microsoft.com', sourceImage: 'hello-world' }
for (const [what, body, target] of [
  ['no body', undefined, 'source'],
  ['no source', { targetTags: ['a:b'] }, 'source'],
  ['a source that is nowhere', { source: { sourceImage: 'a' }, targetTags: ['a:b'] }, 'source'],
  ['an image in capitals', { source: { ...source, sourceImage: 'Hello' } }, 'source.sourceImage'],
  [
    'an address with a path',
    { source: { ...source, registryUri: 'a.test/b' }, targetTags: ['a:b'] },
    'source.registryUri',
  ],
  [
    'an address with a user',
    { source: { ...source, registryUri: 'a@b.test' }, targetTags: ['a:b'] },
    'source.registryUri',
  ],
  [
    'a password that is none',
    { source: { ...source, credentials: { password: 7 } }, targetTags: ['a:b'] },
    'source.credentials.password',
  ],
  ['no target', { source }, 'targetTags'],
  ['a target by digest', { source, targetTags: [`a@${digest}`] }, 'targetTags[0]'],
  ['a target that is a URL', { source, targetTags: ['a:b', 'https://a/b'] }, 'targetTags[1]'],
  ['an unknown mode', { source, targetTags: ['a:b'], mode: 'Gently' }, 'mode'],
] as const) {
  test(`400: ${what}`, () => {
    assert.throws(
      () => parseImport(body),
      (error) => error instanceof ArmError && error.status === 400 && error.body.target === target,
    )
  })
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OWNER } from '../../../test/support/arm.ts'
import { openRegistries } from '../../../test/support/registries.ts'
import { ImageCopyError } from '../../registry/copy/image-copy.ts'

const helloWorld = {
  source: { registryUri: 'mcr.microsoft.com', sourceImage: 'hello-world:latest' },
  targetTags: ['hello-world:latest'],
  mode: 'NoForce',
}

test('hello-world comes from the public host', async (t) => {
  const { importImage, createRegistry, copies } = await openRegistries(t)
  await createRegistry('myregistry')
  assert.equal((await importImage('myregistry', helloWorld)).status, 200)
  const [copy] = copies
  assert.ok(copy && 'registryUid' in copy.to)
  assert.deepEqual(
    { ...copy, to: undefined },
    {
      from: { host: 'mcr.microsoft.com' },
      sourceImage: 'hello-world:latest',
      to: undefined,
      targetTags: ['hello-world:latest'],
      untaggedTargetRepositories: [],
      force: false,
    },
  )
})

test('an image comes from an own registry, by its id or its login server', async (t) => {
  const { id, importImage, createRegistry, copies } = await openRegistries(t)
  await createRegistry('source1')
  await createRegistry('target1')
  for (const source of [
    { resourceId: id('SOURCE1'), sourceImage: 'app:v1' },
    { registryUri: 'source1.azurecr.io', sourceImage: 'app:v1' },
  ]) {
    const { status } = await importImage('target1', { source, targetTags: ['app:v1'] })
    assert.equal(status, 200)
  }
  const [one, two] = copies
  assert.deepEqual(one, two)
  assert.ok(one && 'registryUid' in one.from && one.from.registryUid !== one.to.registryUid)
})

test('an image comes from any other registry, with credentials for it', async (t) => {
  const { importImage, createRegistry, copies, errands } = await openRegistries(t)
  await createRegistry('myregistry')
  const { status } = await importImage('myregistry', {
    source: {
      registryUri: 'docker.io',
      sourceImage: 'library/hello-world:latest',
      credentials: { username: 'me', password: 'secret' },
    },
    targetTags: ['hello:v1'],
    mode: 'Force',
  })
  assert.equal(status, 200)
  const credentials = { username: 'me', password: 'secret' }
  assert.deepEqual(copies[0]?.from, { host: 'docker.io', credentials })
  assert.equal(errands[0]?.who, OWNER.objectId)
  assert.ok(errands[0]?.signal)
})

test('what the operation keeps of credentials is sealed', async (t) => {
  const { arm, importImage, createRegistry } = await openRegistries(t)
  await createRegistry('myregistry')
  await importImage('myregistry', {
    source: {
      registryUri: 'docker.io',
      sourceImage: 'library/nats',
      credentials: { password: 'open-sesame' },
    },
    targetTags: ['nats:v1'],
  })
  const rows = await arm.database.kysely.selectFrom('operations').selectAll().execute()
  assert.match(rows[0]?.input ?? '', /^sealed:.*open-sesame/)
  assert.doesNotMatch(JSON.stringify({ ...rows[0], input: '' }), /open-sesame/)
})

for (const [code, status, armCode] of [
  ['target-exists', 409, 'Conflict'],
  ['source-unknown', 404, 'ManifestUnknown'],
  ['source-denied', 400, 'InvalidParameters'],
  ['source-unreachable', 400, 'InvalidParameters'],
  ['source-invalid', 400, 'InvalidParameters'],
] as const) {
  test(`${status}: the operation ends so when the copier says ${code}`, async (t) => {
    const { importImage, createRegistry } = await openRegistries(t, {
      copy: async () => {
        throw new ImageCopyError(code, 'Tag hello-world:latest is as it is.')
      },
    })
    await createRegistry('myregistry')
    const answer = await importImage('myregistry', helloWorld)
    assert.equal(answer.status, status)
    assert.equal(answer.body.error.code, armCode)
    assert.equal(answer.body.error.message, 'Tag hello-world:latest is as it is.')
  })
}

for (const [what, body, status, code] of [
  ['a body without a source', { targetTags: ['a:b'] }, 400, 'InvalidRequestContent'],
  ...[
    'absent.azurecr.io',
    'Absent.AZURECR.io.',
    'absent.azurecr.io:443',
    'a.b.azurecr.io:8443',
  ].map(
    (registryUri) =>
      [
        `an own name without a registry, ${registryUri},`,
        { ...helloWorld, source: { registryUri, sourceImage: 'app:v1' } },
        400,
        'ImportSourceNotSupported',
      ] as const,
  ),
  [
    'an address that is no host',
    { ...helloWorld, source: { registryUri: 'docker.io/library', sourceImage: 'alpine' } },
    400,
    'InvalidRequestContent',
  ],
  [
    'a registry that is not there',
    { ...helloWorld, source: { resourceId: '/subscriptions/s', sourceImage: 'a' } },
    404,
    'ResourceNotFound',
  ],
] as const) {
  test(`${status}: ${what} is refused at once`, async (t) => {
    const { arm, id, createRegistry, copies } = await openRegistries(t)
    await createRegistry('myregistry')
    const answer = await arm.post(`${id('myregistry')}/importImage`, body)
    assert.equal(answer.status, status)
    assert.equal(answer.body.error.code, code)
    assert.deepEqual(copies, [])
  })
}

test('403: the source is an own registry that the client may not pull from', async (t) => {
  const { arm, id, createRegistry, copies } = await openRegistries(t, {
    refuses: { action: 'Microsoft.ContainerRegistry/registries/pull/read', at: '/source1' },
  })
  await createRegistry('source1')
  await createRegistry('target1')
  const answer = await arm.post(`${id('target1')}/importImage`, {
    source: { resourceId: id('source1'), sourceImage: 'app:v1' },
    targetTags: ['app:v1'],
  })
  assert.equal(answer.status, 403)
  assert.equal(answer.body.error.code, 'AuthorizationFailed')
  assert.deepEqual(copies, [])
})

test('403: the source has its exports disabled', async (t) => {
  const { arm, id, createRegistry } = await openRegistries(t)
  await createRegistry('source1', {
    publicNetworkAccess: 'disabled',
    policies: { exportPolicy: { status: 'disabled' } },
  })
  await createRegistry('target1')
  const body = { source: { resourceId: id('source1'), sourceImage: 'app:v1' }, targetTags: ['a:b'] }
  assert.equal((await arm.post(`${id('target1')}/importImage`, body)).status, 403)
  assert.equal((await arm.post(`${id('source1')}/importImage`, body)).status, 202)
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import {
  ADMIN,
  basic,
  DATA_HOST,
  type Fixture,
  pushImage,
  startRegistry,
} from '../testing/registry-fixture.ts'

const READER = basic('app-reader', 'secret')
const form = (fields: Readonly<Record<string, string>>) => ({
  authorization: '',
  body: new URLSearchParams(fields).toString(),
})

/** Asks, and returns what was told of it. */
async function told(registry: Fixture, ...ask: Parameters<Fixture['send']>) {
  await registry.quiet()
  const [noted, recorded] = [registry.noted.length, registry.recorded.length]
  const { status } = await registry.send(...ask)
  await registry.quiet()
  return {
    status,
    noted: registry.noted.slice(noted),
    recorded: registry.recorded.slice(recorded),
  }
}

test('a pull is told with who, from where, what and how it ended', async (t) => {
  const registry = await startRegistry(t)
  const { digest, body } = await pushImage(registry, 'app', 'v1')
  registry.origin = {
    via: 'endpoint',
    place: 'net-12345678',
    endpoint: '/subscriptions/s/endpoints/pe',
    host: registry.address,
    address: '10.0.0.9',
  }
  const { noted } = await told(registry, 'GET', '/v2/app/manifests/v1', {
    authorization: READER,
    headers: { 'user-agent': 'a client' },
  })
  const [event] = noted
  assert.equal(noted.length, 1)
  const { correlationId, time, ...occasion } = event?.occasion ?? {}
  assert.match(String(correlationId), /^[0-9a-f-]{36}$/)
  assert.equal(time, registry.now.toISOString())
  assert.deepEqual(occasion, {
    registryId: registry.facts.id,
    loginServer: registry.address,
    region: 'westeurope',
    caller: { kind: 'ServicePrincipal', id: 'object-reader', name: 'reader' },
    address: '10.0.0.9',
    place: 'net-12345678',
    endpoint: '/subscriptions/s/endpoints/pe',
    host: registry.address,
    method: 'GET',
    userAgent: 'a client',
  })
  const { occasion: _, ...rest } = event ?? {}
  assert.deepEqual(rest, {
    table: 'repository',
    operation: 'Pull',
    status: 200,
    durationMs: 0,
    repository: 'app',
    tag: 'v1',
    digest,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    size: body.length,
  })
})

test('a correlation id in the answer is that of the event', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  const answer = await registry.send('GET', '/v2/app/manifests/v1')
  await registry.quiet()
  const [event] = registry.noted
  assert.equal(answer.headers['x-ms-correlation-request-id'], event?.occasion.correlationId)
})

test('single blobs, lists, questions whether something is there and first questions are passed by', async (t) => {
  const registry = await startRegistry(t)
  const { layer } = await pushImage(registry, 'app', 'v1')
  for (const [method, path, authorization] of [
    ['GET', `/v2/app/blobs/${layer}`, undefined],
    ['HEAD', '/v2/app/manifests/v1', undefined],
    ['GET', '/v2/app/tags/list', undefined],
    ['GET', '/acr/v1/_catalog', undefined],
    ['GET', '/v2/', ''],
    ['GET', '/v2/app/manifests/v1', ''],
    ['PUT', '/v2/app/manifests/v2', ''],
  ] as const) {
    const ask = authorization === undefined ? {} : { authorization }
    assert.deepEqual((await told(registry, method, path, ask)).noted, [], `${method} ${path}`)
  }
})

test('changes are recorded with the change itself, and not noted again', async (t) => {
  const registry = await startRegistry(t)
  const { digest, layer } = await pushImage(registry, 'app', 'v1')
  const second = await pushImage(registry, 'app', 'v2')
  const manifest = {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType: 'application/vnd.oci.image.config.v1+json',
  }
  const common = { registry: 'uid-1', repository: 'app' }
  await registry.quiet()
  assert.deepEqual(
    registry.recorded.map(({ operation, status, tag }) => [operation, status, tag]),
    [
      ['Push', 201, 'v1'],
      ['Push', 201, 'v2'],
    ],
  )
  assert.deepEqual(registry.recorded[0]?.occasion.caller, {
    kind: 'Admin',
    id: ADMIN.user,
    name: ADMIN.user,
  })
  for (const [path, expected] of [
    ['/acr/v1/app/_tags/v2', { operation: 'Untag', tag: 'v2', digest: second.digest }],
    [`/v2/app/blobs/${layer}`, { operation: 'Delete', digest: layer }],
    [
      `/v2/app/manifests/${digest}`,
      { operation: 'Delete', digest, formerTags: ['v1'], ...manifest },
    ],
    ['/acr/v1/app', { operation: 'Delete', formerTags: [] }],
  ] as const) {
    const { noted, recorded } = await told(registry, 'DELETE', path)
    assert.deepEqual(noted, [])
    const [{ occasion, size: _, ...change } = assert.fail(path)] = recorded
    assert.equal(occasion.method, 'DELETE')
    assert.deepEqual(change, { status: 202, ...common, ...expected })
  }
})

test('what fails is told, with the code of the refusal', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  for (const [method, path, ask, expected] of [
    ['GET', '/v2/app/manifests/v9', {}, ['Pull', 404, 'MANIFEST_UNKNOWN', 'v9']],
    ['PUT', '/v2/app/manifests/v9', { body: '{' }, ['Push', 400, 'MANIFEST_INVALID', 'v9']],
    ['DELETE', '/acr/v1/app/_tags/v9', {}, ['Untag', 404, 'TAG_UNKNOWN', 'v9']],
    [
      'PUT',
      '/v2/app/manifests/v9',
      { body: '{}', authorization: READER },
      ['Push', 401, 'UNAUTHORIZED', 'v9'],
    ],
    [
      'POST',
      '/v2/app/blobs/uploads/',
      { authorization: READER },
      ['Push', 401, 'UNAUTHORIZED', undefined],
    ],
  ] as const) {
    const { noted, recorded } = await told(registry, method, path, ask)
    assert.deepEqual(recorded, [])
    assert.deepEqual(
      noted.map(({ operation, status, errorCode, tag }) => [operation, status, errorCode, tag]),
      [expected],
    )
    assert.equal(noted[0]?.repository, 'app')
  }
})

test('sign-ins are told, also those in vain and those from where nobody may come', async (t) => {
  const registry = await startRegistry(t)
  const name = registry.facts.name
  const exchange = { grant_type: 'access_token', access_token: 'aad-reader' }
  const guid = '00000000-1111-2222-3333-444444444444'
  for (const [method, path, ask, expected] of [
    ['POST', '/oauth2/exchange', form(exchange), [200, 'object-reader']],
    ['POST', '/oauth2/exchange', form({ ...exchange, access_token: 'x' }), [401, '']],
    ['GET', '/oauth2/token', { authorization: READER }, [200, 'object-reader']],
    ['GET', '/oauth2/token', { authorization: basic(guid, 'no') }, [401, guid]],
    ['GET', '/oauth2/token', { authorization: basic(name, 'no') }, [401, name]],
    ['GET', '/oauth2/token', { authorization: basic('hunter2', 'no') }, [401, '']],
    ['GET', '/v2/', {}, [200, name]],
    ['GET', '/v2/', { authorization: basic(guid, 'no') }, [401, guid]],
    ['GET', '/v2/app/manifests/v1', { authorization: 'Bearer forged' }, [401, '']],
  ] as const) {
    const { noted } = await told(registry, method, path, ask)
    assert.deepEqual(
      noted.map(({ table, operation, status, occasion }) => [
        [table, operation],
        [status, occasion.caller.id],
      ]),
      [[['login', 'Login'], expected]],
      `${method} ${path} ${JSON.stringify(ask)}`,
    )
  }
  registry.facts = { ...registry.facts, publicAccess: { kind: 'none' } }
  for (const host of [registry.address, DATA_HOST]) {
    const { noted } = await told(registry, 'GET', '/v2/app/manifests/v1', { host })
    assert.deepEqual(
      noted.map(({ table, status, errorCode }) => [table, status, errorCode]),
      [['login', 403, 'DENIED']],
    )
  }
})

test('499: a client that goes before it has an answer', async (t) => {
  const registry = await startRegistry(t)
  const socket = connect(Number(registry.address.split(':')[1]), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(
    `PUT /v2/app/manifests/v1 HTTP/1.1\r\nHost: ${registry.address}\r\nContent-Length: 100\r\n` +
      `Authorization: ${basic(ADMIN.user, ADMIN.password)}\r\nExpect: 100-continue\r\n\r\n`,
  )
  // It comes when the plane has the request.
  const [said] = await once(socket, 'data')
  assert.match(String(said), /^HTTP\/1\.1 100 /)
  socket.write('half of it')
  socket.destroy()
  await registry.quiet()
  assert.deepEqual(
    registry.noted.map(({ operation, status, tag }) => [operation, status, tag]),
    [['Push', 499, 'v1']],
  )
})

test('no password, token or signature is in what is told', async (t) => {
  const registry = await startRegistry(t)
  await pushImage(registry, 'app', 'v1')
  await told(registry, 'GET', '/v2/app/manifests/v1?_sig=signature')
  await told(registry, 'GET', '/oauth2/token?service=&scope=', {
    authorization: basic(ADMIN.user, 'wrong password'),
  })
  const text = JSON.stringify([registry.noted, registry.recorded])
  assert.doesNotMatch(text, /sesame|wrong password|signature|Basic|Bearer/)
})

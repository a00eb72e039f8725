import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { pino } from 'pino'
import { createAuthority } from './authority.ts'
import { createClientAssertions } from './client-assertion.ts'
import { createCredentials } from './credentials.ts'
import { identityFor, TENANT } from './identity-for-tests.ts'

async function authorityFor(t: { after(hook: () => Promise<void>): void }) {
  const identity = await identityFor(t)
  const credentials = createCredentials(identity)
  const app = await createAuthority({
    ...identity,
    assertions: createClientAssertions({ ...identity, credentials }),
    tenantId: TENANT,
    log: pino({ level: 'silent' }),
  })
  t.after(() => app.close())
  const { principal, secret } = await identity.principals.create('ci')
  return {
    ...identity,
    credentials,
    principal,
    get: async (url: string) => {
      const answer = await app.inject({ url, headers: { host: 'localhost:4443' } })
      return { status: answer.statusCode, body: answer.json() }
    },
    post: async (url: string, form: Record<string, string>, headers = {}) => {
      const answer = await app.inject({
        method: 'POST',
        url,
        headers: {
          host: 'localhost:4443',
          'content-type': 'application/x-www-form-urlencoded',
          ...headers,
        },
        payload: new URLSearchParams(form).toString(),
      })
      return { status: answer.statusCode, body: answer.json() }
    },
    form: {
      client_id: principal.appId,
      grant_type: 'client_credentials',
      client_info: '1',
      client_secret: secret,
      claims: '{"access_token": {"xms_cc": {"values": ["CP1"]}}}',
      scope: 'https://management.core.windows.net//.default',
    },
  }
}

for (const [style, discovery] of [
  ['ADFS', '/adfs/.well-known/openid-configuration'],
  ['tenant', `/${TENANT}/v2.0/.well-known/openid-configuration`],
  ['organizations', '/organizations/v2.0/.well-known/openid-configuration'],
] as const) {
  test(`${style} style: discovery leads to a token that verifies by the published keys`, async (t) => {
    const { get, post, form, tokens, principal } = await authorityFor(t)
    const configuration = (await get(discovery)).body
    assert.ok(configuration.issuer.startsWith('https://localhost:4443/'))
    const keys = await get(new URL(configuration.jwks_uri).pathname)
    assert.equal(keys.body.keys[0].alg, 'RS256')
    assert.equal('d' in keys.body.keys[0], false)
    const { status, body } = await post(new URL(configuration.token_endpoint).pathname, form)
    assert.equal(status, 200)
    assert.equal(body.token_type, 'Bearer')
    assert.equal(decodeJwt(body.access_token).aud, 'https://management.core.windows.net/')
    assert.equal(decodeJwt(body.access_token).tid, TENANT)
    const claims = await tokens.verifyAccessToken(body.access_token, ['arm'])
    assert.deepEqual(claims?.principal, principal)
  })
}

test('a doubled slash between authority and path is taken for one', async (t) => {
  const { post, form } = await authorityFor(t)
  assert.equal((await post('/adfs//oauth2/token', form)).status, 200)
})

test('a client may show its secret by Basic authentication', async (t) => {
  const { post, form } = await authorityFor(t)
  const { client_id, client_secret, ...rest } = form
  const basic = Buffer.from(`${client_id}:${encodeURIComponent(client_secret)}`).toString('base64')
  const { status } = await post('/adfs/oauth2/token', rest, { authorization: `Basic ${basic}` })
  assert.equal(status, 200)
})

for (const scope of [
  'https://localhost:4443//.default',
  'https://127.0.0.1:4443/.default offline_access openid profile',
  'https://containerregistry.azure.net/.default',
  'https://graph.microsoft.com//.default',
]) {
  test(`a token is granted for the scope ${scope}`, async (t) => {
    const { post, form } = await authorityFor(t)
    assert.equal((await post('/adfs/oauth2/token', { ...form, scope })).status, 200)
  })
}

for (const [why, change, status, error, code] of [
  ['a wrong secret', { client_secret: 'wrong' }, 401, 'invalid_client', 7000215],
  ['an unknown app', { client_id: 'nobody' }, 400, 'unauthorized_client', 700016],
  ['no secret', { client_secret: '' }, 401, 'invalid_client', 7000216],
  ['no client', { client_id: '' }, 400, 'invalid_request', 900144],
  ['another grant', { grant_type: 'implicit' }, 400, 'unsupported_grant_type', 70003],
  ['a foreign resource', { scope: 'https://a.example/.default' }, 400, 'invalid_resource', 500011],
  ['a scope that is no default', { scope: 'User.Read' }, 400, 'invalid_scope', 1002012],
  [
    'two resources',
    { scope: 'https://graph.microsoft.com/.default https://management.azure.com/.default' },
    400,
    'invalid_scope',
    1002012,
  ],
] as const) {
  test(`${status}: ${why} gets no token`, async (t) => {
    const { post, form } = await authorityFor(t)
    const answer = await post(`/${TENANT}/oauth2/v2.0/token`, { ...form, ...change })
    assert.equal(answer.status, status)
    assert.equal(answer.body.error, error)
    assert.deepEqual(answer.body.error_codes, [code])
    assert.match(answer.body.error_description, new RegExp(`^AADSTS${code}: .* Trace ID: `))
    assert.equal(answer.body.access_token, undefined)
  })
}

test('400: another tenant is not found', async (t) => {
  const { post, form, get } = await authorityFor(t)
  const other = '00000000-0000-0000-0000-000000000001'
  const answer = await post(`/${other}/oauth2/v2.0/token`, form)
  assert.deepEqual([answer.status, answer.body.error_codes], [400, [90002]])
  assert.equal((await get(`/${other}/v2.0/.well-known/openid-configuration`)).status, 400)
})

test('415: a body that is not a form is refused', async (t) => {
  const { post, form } = await authorityFor(t)
  const answer = await post('/adfs/oauth2/token', form, { 'content-type': 'application/json' })
  assert.deepEqual([answer.status, answer.body.error], [415, 'invalid_request'])
})

test('instance discovery knows the public names and refuses others', async (t) => {
  const { get } = await authorityFor(t)
  const known = await get(
    '/common/discovery/instance?api-version=1.1&authorization_endpoint=https://login.microsoftonline.com/common/oauth2/authorize',
  )
  assert.equal(known.status, 200)
  assert.ok(known.body.metadata[0].aliases.includes('login.windows.net'))
  const foreign = await get(
    '/common/discovery/instance?authorization_endpoint=https://login.example/common/oauth2/authorize',
  )
  assert.deepEqual([foreign.status, foreign.body.error], [400, 'invalid_instance'])
})

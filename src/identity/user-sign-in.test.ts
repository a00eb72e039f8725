import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { pino } from 'pino'
import { createAuthority } from './authority.ts'
import { createClientAssertions } from './client-assertion.ts'
import { createCredentials } from './credentials.ts'
import { identityFor, TENANT } from './identity-for-tests.ts'

const CLIENT = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'
const SCOPE = 'https://management.core.windows.net//.default offline_access openid profile'
const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
const PAGE = '/common/oauth2/v2.0/deviceauth'
const VERIFIER = 'a verifier of enough characters'
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

async function peopleFor(t: { after(hook: () => Promise<void>): void }) {
  const identity = await identityFor(t)
  const app = await createAuthority({
    ...identity,
    assertions: createClientAssertions({ ...identity, credentials: createCredentials(identity) }),
    tenantId: TENANT,
    log: pino({ level: 'silent' }),
  })
  t.after(() => app.close())
  const { principal, secret: password } = await identity.principals.create('alice', 'User')
  const send = (url: string, form?: Record<string, string>, cookie?: string) =>
    app.inject({
      method: form ? 'POST' : 'GET',
      url,
      headers: {
        host: 'login.microsoftonline.com',
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...(cookie && { cookie }),
      },
      ...(form && { payload: new URLSearchParams(form).toString() }),
    })
  const token = async (form: Record<string, string>) => {
    const answer = await send('/common/oauth2/v2.0/token', { client_id: CLIENT, ...form })
    return { status: answer.statusCode, body: answer.json() }
  }
  /** Fills in the form of a page, as a browser does. */
  const submit = async (url: string, form: Record<string, string>) => {
    const page = await send(url)
    const mark = /name="mark" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
    const cookie = String(page.headers['set-cookie']).split(';')[0]
    return send(url, { mark, ...form }, cookie)
  }
  const username = 'Alice@causeway.onmicrosoft.com'
  return { ...identity, principal, person: { username, password }, send, token, submit }
}

const begin = async (send: Awaited<ReturnType<typeof peopleFor>>['send']) =>
  (await send('/common/oauth2/v2.0/devicecode', { client_id: CLIENT, scope: SCOPE })).json()

test('a device gets tokens once its person has signed in with the code', async (t) => {
  const { send, token, submit, person, principal, tokens } = await peopleFor(t)
  const { device_code, user_code, verification_uri } = await begin(send)
  assert.equal(verification_uri, `https://login.microsoftonline.com${PAGE}`)
  const poll = { grant_type: DEVICE_GRANT, device_code }
  assert.deepEqual((await token(poll)).body.error, 'authorization_pending')
  const code = `${user_code.slice(0, 4)}-${user_code.slice(4)}`.toLowerCase()
  assert.equal((await submit(PAGE, { code, ...person })).statusCode, 200)
  const { status, body } = await token(poll)
  assert.equal(status, 200)
  const claims = await tokens.verifyAccessToken(body.access_token, ['arm'])
  assert.deepEqual(claims?.principal, principal)
  assert.equal(decodeJwt(body.id_token).preferred_username, 'alice@causeway.onmicrosoft.com')
  assert.equal(decodeJwt(body.id_token).aud, CLIENT)
  assert.deepEqual(JSON.parse(Buffer.from(body.client_info, 'base64url').toString()), {
    uid: principal.objectId,
    utid: TENANT,
  })
  assert.equal((await token(poll)).body.error, 'expired_token')
})

test('a refresh token gives the next token to its client, until the password changes', async (t) => {
  const { token, person, principals, principal, tokens } = await peopleFor(t)
  const first = await token({ grant_type: 'password', scope: SCOPE, ...person })
  const { refresh_token } = first.body
  assert.equal(await tokens.verifyAccessToken(refresh_token, ['arm', 'graph']), undefined)
  const again = { grant_type: 'refresh_token', refresh_token, scope: SCOPE }
  assert.equal((await token(again)).status, 200)
  assert.equal((await token({ ...again, client_id: 'other' })).body.error, 'invalid_grant')
  await principals.resetSecret(principal.objectId)
  assert.equal((await token(again)).body.error, 'invalid_grant')
  assert.equal(await tokens.verifyAccessToken(first.body.access_token, ['arm']), undefined)
})

const authorize = (change: Record<string, string> = {}) =>
  `/common/oauth2/v2.0/authorize?${new URLSearchParams({
    client_id: CLIENT,
    response_type: 'code',
    redirect_uri: 'http://localhost:8400',
    scope: SCOPE,
    state: 'S',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    nonce: 'N',
    ...change,
  })}`

test('a browser brings back a code, good once for who knows the verifier', async (t) => {
  const { token, submit, person } = await peopleFor(t)
  const back = async () => {
    const answer = await submit(authorize(), person)
    assert.equal(answer.statusCode, 302)
    const target = new URL(String(answer.headers.location))
    assert.equal(`${target.origin} ${target.searchParams.get('state')}`, 'http://localhost:8400 S')
    return target.searchParams.get('code') ?? ''
  }
  const redirect_uri = 'http://localhost:8400'
  const redeem = (code: string, code_verifier = VERIFIER) =>
    token({ grant_type: 'authorization_code', code, redirect_uri, code_verifier, scope: SCOPE })
  const code = await back()
  const { status, body } = await redeem(code)
  assert.equal(status, 200)
  assert.equal(decodeJwt(body.id_token).nonce, 'N')
  assert.equal((await redeem(code)).body.error, 'invalid_grant')
  assert.equal((await redeem(await back(), 'another verifier')).body.error, 'invalid_grant')
})

for (const [why, change] of [
  ['a redirect to elsewhere', { redirect_uri: 'https://a.example/' }],
  ['no proof key', { code_challenge_method: 'plain' }],
  ['a token at once', { response_type: 'token' }],
] as const) {
  test(`400: an authorization request with ${why}`, async (t) => {
    const { send } = await peopleFor(t)
    assert.equal((await send(authorize(change))).statusCode, 400)
  })
}

test('400 and 401: a form from elsewhere, a wrong password, an unknown code', async (t) => {
  const { send, submit, person, token } = await peopleFor(t)
  const { device_code, user_code: code } = await begin(send)
  // A form that another site has the browser send carries no cookie of ours.
  assert.equal((await send(PAGE, { code, mark: 'x', ...person })).statusCode, 400)
  assert.equal((await send(PAGE, { code, ...person }, '__Host-causeway-form=')).statusCode, 400)
  const wrong = await submit(PAGE, { code, ...person, password: 'wrong' })
  assert.deepEqual([wrong.statusCode, /role="alert"/.test(wrong.body)], [401, true])
  const injected = await submit(PAGE, { code: '"><script>', ...person })
  assert.deepEqual([injected.statusCode, injected.body.includes('<script>')], [400, false])
  const poll = { grant_type: DEVICE_GRANT, device_code }
  assert.equal((await token(poll)).body.error, 'authorization_pending')
  const bad = await token({ grant_type: 'password', scope: SCOPE, ...person, password: 'wrong' })
  assert.deepEqual([bad.status, bad.body.error_codes], [400, [50126]])
})

test('a page runs no script, is in no frame, and knows light and dark', async (t) => {
  const { send } = await peopleFor(t)
  const page = await send(PAGE)
  const policy = String(page.headers['content-security-policy'])
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.match(String(page.headers['set-cookie']), /Secure; HttpOnly; SameSite=Strict/)
  assert.match(page.body, /color-scheme" content="light dark"/)
})

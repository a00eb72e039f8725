import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeJwt } from 'jose'
import { TENANT } from './identity-for-tests.ts'
import {
  authorizePath,
  CLIENT,
  DEVICE_GRANT,
  PAGE,
  peopleFor,
  REDIRECT,
  SCOPE,
  VERIFIER,
} from './people-for-tests.ts'

test('a device gets tokens once its person has signed in with the code', async (t) => {
  const { beginDevice, token, submit, person, principal, tokens } = await peopleFor(t)
  const { device_code, user_code, verification_uri } = await beginDevice()
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
  assert.equal((await token(poll)).body.error, 'bad_verification_code')
})

test('a device that nobody has answered is told to wait, to slow down, and that its time is over', async (t) => {
  const { beginDevice, token, pass } = await peopleFor(t)
  const { device_code, interval, expires_in } = await beginDevice()
  const poll = async (client_id = CLIENT) =>
    (await token({ grant_type: DEVICE_GRANT, device_code, client_id })).body.error
  assert.equal(await poll(), 'authorization_pending')
  assert.equal(await poll(), 'slow_down')
  pass(interval)
  assert.equal(await poll(), 'authorization_pending')
  assert.equal(await poll('00000000-0000-4000-8000-000000000000'), 'bad_verification_code')
  pass(expires_in)
  assert.equal(await poll(), 'expired_token')
})

test('a device whose person declines gets nothing, and the first answer stands', async (t) => {
  const { beginDevice, token, submit, person } = await peopleFor(t)
  const { device_code, user_code: code } = await beginDevice()
  assert.equal((await submit(PAGE, { code, answer: 'cancel' })).statusCode, 200)
  assert.equal((await submit(PAGE, { code, ...person })).statusCode, 400)
  const { body } = await token({ grant_type: DEVICE_GRANT, device_code })
  assert.deepEqual([body.error, body.access_token], ['authorization_declined', undefined])
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

test('a browser brings back a code, good once for who knows the verifier', async (t) => {
  const { token, submit, person } = await peopleFor(t)
  const back = async () => {
    const answer = await submit(authorizePath(), person)
    assert.equal(answer.statusCode, 302)
    const target = new URL(String(answer.headers.location))
    assert.equal(`${target.origin} ${target.searchParams.get('state')}`, 'http://localhost:8400 S')
    return target.searchParams.get('code') ?? ''
  }
  const redeem = (code: string, code_verifier = VERIFIER) =>
    token({
      grant_type: 'authorization_code',
      code,
      redirect_uri: REDIRECT,
      code_verifier,
      scope: SCOPE,
    })
  const code = await back()
  const { status, body } = await redeem(code)
  assert.equal(status, 200)
  assert.equal(decodeJwt(body.id_token).nonce, 'N')
  assert.equal((await redeem(code)).body.error, 'invalid_grant')
  assert.equal((await redeem(await back(), 'another verifier')).body.error, 'invalid_grant')
})

for (const [why, change] of [
  ['another client', { client_id: '00000000-0000-4000-8000-000000000000' }],
  ['another redirect', { redirect_uri: 'http://localhost:8401' }],
] as const) {
  test(`400: a code shown by ${why}`, async (t) => {
    const { token, submit, person } = await peopleFor(t)
    const { headers } = await submit(authorizePath(), person)
    const code = new URL(String(headers.location)).searchParams.get('code') ?? ''
    const shown = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT }
    const answer = await token({ ...shown, code_verifier: VERIFIER, ...change })
    assert.deepEqual([answer.status, answer.body.error], [400, 'invalid_grant'])
  })
}

test('400: a code that is older than five minutes', async (t) => {
  const { token, submit, person, pass } = await peopleFor(t)
  const { headers } = await submit(authorizePath(), person)
  const code = new URL(String(headers.location)).searchParams.get('code') ?? ''
  pass(301)
  const shown = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT }
  assert.equal((await token({ ...shown, code_verifier: VERIFIER })).body.error, 'invalid_grant')
})

test('after ten wrong passwords a name waits a minute, whether it is somebody or not', async (t) => {
  const { token, person, pass } = await peopleFor(t)
  const codeOf = async (form: Record<string, string>) =>
    (await token({ grant_type: 'password', scope: SCOPE, ...form })).body.error_codes?.[0]
  for (const username of [person.username, 'nobody@causeway.onmicrosoft.com']) {
    for (let count = 0; count < 10; count += 1) {
      assert.equal(await codeOf({ username, password: 'wrong' }), 50126)
    }
    assert.equal(await codeOf({ username, password: person.password }), 50053)
    // The name is the same in any case.
    assert.equal(await codeOf({ username: username.toUpperCase(), password: 'wrong' }), 50053)
  }
  pass(61)
  assert.equal(await codeOf(person), undefined)
  // Who was right begins anew.
  assert.equal(await codeOf({ ...person, password: 'wrong' }), 50126)
  assert.equal(await codeOf(person), undefined)
})

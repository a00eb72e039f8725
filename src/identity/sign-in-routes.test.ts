import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorizePath, DEVICE_GRANT, PAGE, peopleFor, SCOPE } from './people-for-tests.ts'

for (const [why, change] of [
  ['a redirect to elsewhere', { redirect_uri: 'https://a.example/' }],
  [
    'a redirect to a name that only begins like this machine',
    { redirect_uri: 'http://localhost.a.example/' },
  ],
  ['a redirect by TLS', { redirect_uri: 'https://localhost:8400' }],
  ['a redirect to another machine', { redirect_uri: 'http://10.0.0.1:8400' }],
  ['a redirect with a name in it', { redirect_uri: 'http://a@localhost:8400' }],
  ['a redirect that is a script', { redirect_uri: 'javascript:alert(1)//localhost' }],
  ['no redirect', { redirect_uri: '' }],
  ['no proof key', { code_challenge_method: 'plain' }],
  ['a proof key that is none', { code_challenge: 'short' }],
  ['a token at once', { response_type: 'token' }],
  ['an answer after the hash', { response_mode: 'fragment' }],
  ['a client that is no id', { client_id: 'az' }],
] as const) {
  test(`400: an authorization request with ${why}`, async (t) => {
    const { send } = await peopleFor(t)
    const answer = await send(authorizePath(change))
    assert.deepEqual([answer.statusCode, answer.headers.location], [400, undefined])
    // A person is here, so it is a page; there is nothing to fill in.
    assert.match(answer.body, /<h1>This sign-in cannot go on<\/h1>\s*<p>AADSTS\d+: /)
    assert.doesNotMatch(answer.body, /<form/)
  })
}

test('400: an authorization request of another tenant', async (t) => {
  const { send } = await peopleFor(t)
  const path = authorizePath().replace('/common/', '/00000000-0000-4000-8000-000000000000/')
  const answer = await send(path)
  assert.deepEqual([answer.statusCode, /AADSTS90002/.test(answer.body)], [400, true])
})

test('400 and 401: a form from elsewhere, a wrong password, an unknown code', async (t) => {
  const { send, submit, person, token, beginDevice } = await peopleFor(t)
  const { device_code, user_code: code } = await beginDevice()
  // A form that another site has the browser send carries no cookie of ours.
  assert.equal((await send(PAGE, { code, mark: 'x', ...person })).statusCode, 400)
  assert.equal((await send(PAGE, { code, ...person }, '__Host-causeway-form=')).statusCode, 400)
  const wrong = await submit(PAGE, { code, ...person, password: 'wrong' })
  assert.equal(wrong.statusCode, 401)
  assert.match(wrong.body, /role="alert".*The user name or the password is wrong/)
  assert.doesNotMatch(wrong.body, /value="wrong"/)
  const injected = await submit(PAGE, { code: '"><script>', ...person })
  assert.deepEqual([injected.statusCode, injected.body.includes('<script>')], [400, false])
  const poll = { grant_type: DEVICE_GRANT, device_code }
  assert.equal((await token(poll)).body.error, 'authorization_pending')
  const bad = await token({ grant_type: 'password', scope: SCOPE, ...person, password: 'wrong' })
  assert.deepEqual([bad.status, bad.body.error_codes], [400, [50126]])
})

test('429: a page says how long to wait after ten wrong passwords', async (t) => {
  const { submit, person } = await peopleFor(t)
  const wrong = { ...person, password: 'wrong' }
  for (let count = 0; count < 10; count += 1) await submit(authorizePath(), wrong)
  const answer = await submit(authorizePath(), person)
  assert.equal(answer.statusCode, 429)
  assert.match(answer.body, /Wait 60 seconds/)
})

test('a person sees which program asks, and with which code, before any password', async (t) => {
  const { send, submit, beginDevice } = await peopleFor(t)
  const { user_code: code } = await beginDevice()
  const page = await submit(PAGE, { code })
  assert.equal(page.statusCode, 200)
  assert.match(page.body, /Azure CLI asks to act as you/)
  assert.ok(page.body.includes(`<p class="code">${code}</p>`))
  assert.match(page.body, /Go on only if you started this yourself/)
  const browser = await send(authorizePath({ login_hint: 'alice@causeway.onmicrosoft.com' }))
  assert.match(browser.body, /Azure CLI asks to act as you.*waits at localhost:8400/s)
  assert.match(browser.body, /value="alice@causeway.onmicrosoft.com"/)
  const unknown = await send(authorizePath({ client_id: '00000000-0000-4000-8000-000000000000' }))
  assert.match(unknown.body, /The program 00000000-0000-4000-8000-000000000000 asks/)
})

test('who cancels in the browser sends the client a refusal, with its state', async (t) => {
  const { submit } = await peopleFor(t)
  const { headers, statusCode } = await submit(authorizePath(), { answer: 'cancel' })
  const { searchParams } = new URL(String(headers.location))
  assert.deepEqual(
    [statusCode, searchParams.get('error'), searchParams.get('state'), searchParams.get('code')],
    [302, 'access_denied', 'S', null],
  )
})

test('a client that waits for a form gets one, and nothing in the address', async (t) => {
  const { submit, person } = await peopleFor(t)
  const page = await submit(authorizePath({ response_mode: 'form_post' }), person)
  assert.deepEqual([page.statusCode, page.headers.location], [200, undefined])
  assert.match(page.body, /<form method="post" action="http:\/\/localhost:8400\/">/)
  assert.match(page.body, /name="code" value="[\w-]{43}"/)
  assert.match(page.body, /name="state" value="S"/)
  const policy = String(page.headers['content-security-policy'])
  assert.match(policy, /script-src 'sha256-[^']+'; form-action 'self' http:\/\/localhost:8400;/)
})

test('two pages in one browser keep out of the way of each other', async (t) => {
  const { send, person } = await peopleFor(t)
  const first = await send(authorizePath())
  const cookie = String(first.headers['set-cookie']).split(';')[0]
  const markOf = (body: string) => /name="mark" value="([^"]+)"/.exec(body)?.[1] ?? ''
  const second = await send(authorizePath(), undefined, cookie)
  for (const page of [first, second]) {
    const answer = await send(authorizePath(), { mark: markOf(page.body), ...person }, cookie)
    assert.equal(answer.statusCode, 302)
  }
})

test('a page runs no script, is in no frame, and knows light and dark', async (t) => {
  const { send } = await peopleFor(t)
  const page = await send(PAGE)
  const policy = String(page.headers['content-security-policy'])
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.doesNotMatch(policy, /script-src|unsafe/)
  assert.equal(page.headers['x-frame-options'], 'DENY')
  assert.match(String(page.headers['set-cookie']), /Secure; HttpOnly; SameSite=Strict/)
  assert.match(page.body, /color-scheme" content="light dark"/)
})

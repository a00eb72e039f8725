import 'reflect-metadata'
import assert from 'node:assert/strict'
import {
  createHash,
  createHmac,
  KeyObject,
  randomUUID,
  sign as signBytes,
  X509Certificate,
} from 'node:crypto'
import { test } from 'node:test'
import { X509CertificateGenerator } from '@peculiar/x509'
import { exportJWK, SignJWT } from 'jose'
import { certificateOf, createCredentials } from './credentials.ts'
import { TENANT } from './identity-for-tests.ts'
import { CLIENT, DEVICE_GRANT, peopleFor, REDIRECT, SCOPE, VERIFIER } from './people-for-tests.ts'

const ENDPOINT = `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/token`
const BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
}

// The victim's, and somebody else's; making them takes longer than all tests do.
const [keys, foreign] = await Promise.all([makeKeys(), makeKeys()])

function makeKeys() {
  return crypto.subtle.generateKey(RSA, true, ['sign', 'verify'])
}

type Parts = Readonly<Record<string, unknown>>

const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** A client with a certificate and a federated credential, and what somebody without their keys can know of it. */
async function victimFor(t: { after(hook: () => Promise<void>): void }) {
  const people = await peopleFor(t)
  const credentials = createCredentials(people)
  const { principal, secret } = await people.principals.create('robot')
  const made = await X509CertificateGenerator.createSelfSigned({
    keys,
    notBefore: new Date(people.clock.now().getTime() - 60_000),
    signingAlgorithm: RSA,
  })
  const certificate = new X509Certificate(made.toString('pem'))
  await credentials.setCertificates(principal.objectId, [certificateOf(certificate)])
  const jwk = await exportJWK(keys.publicKey)
  await credentials.putFederated(principal.objectId, {
    id: randomUUID(),
    name: 'ci',
    issuer: 'https://ci.example',
    subject: 'job',
    audiences: ['api://AzureADTokenExchange'],
    description: null,
    keys: { keys: [{ ...jwk, kid: 'one' }] },
  })
  const now = Math.floor(people.clock.now().getTime() / 1000)
  const { appId } = principal
  const x5t = createHash('sha1').update(certificate.raw).digest('base64url')
  const header: Parts = { alg: 'RS256', typ: 'JWT', x5t }
  const claims: Parts = { iss: appId, sub: appId, aud: ENDPOINT, exp: now + 600, jti: randomUUID() }
  const federated: Parts = {
    iss: 'https://ci.example',
    sub: 'job',
    aud: 'api://AzureADTokenExchange',
    exp: now + 600,
  }
  const sign = (payload: Parts, head: Parts = header, key = keys.privateKey) =>
    new SignJWT(payload).setProtectedHeader({ alg: 'RS256', ...head }).sign(key)
  const present = (client_assertion: string, change: Record<string, string> = {}) =>
    people.token({
      client_id: appId,
      grant_type: 'client_credentials',
      client_assertion_type: BEARER,
      client_assertion,
      scope: 'https://management.azure.com/.default',
      ...change,
    })
  return {
    ...people,
    key: KeyObject.from(keys.privateKey),
    now,
    appId,
    secret,
    jwk,
    certificate,
    header,
    claims,
    federated,
    sign,
    present,
  }
}

type Victim = Awaited<ReturnType<typeof victimFor>>

const withMac = (header: Parts, payload: unknown, secret: string | Buffer): string => {
  const text = `${encode(header)}.${encode(payload)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}
const unsigned = (header: Parts, payload: unknown) => `${encode(header)}.${encode(payload)}.`
const forge = async (v: Victim, change: Parts, head: Parts = {}): Promise<string> =>
  v.sign({ ...v.claims, ...change }, { ...v.header, ...head })

test('the assertions that are attacked below are good as they are', async (t) => {
  const v = await victimFor(t)
  assert.equal((await v.present(await v.sign(v.claims))).status, 200)
  const token = await v.sign(v.federated, { kid: 'one' })
  assert.equal((await v.present(token)).status, 200)
})

const ASSERTIONS: Readonly<Record<string, (v: Victim) => string | Promise<string>>> = {
  'no algorithm': (v) => unsigned({ ...v.header, alg: 'none' }, v.claims),
  'no algorithm in another case': (v) => unsigned({ ...v.header, alg: 'nOnE' }, v.claims),
  'no signature': (v) => unsigned(v.header, v.claims),
  'the public key as a secret': (v) =>
    withMac(
      { ...v.header, alg: 'HS256' },
      v.claims,
      v.certificate.publicKey.export({ type: 'spki', format: 'pem' }),
    ),
  'the certificate as a secret': (v) =>
    withMac({ ...v.header, alg: 'HS256' }, v.claims, v.certificate.raw),
  'an empty secret': (v) => withMac({ ...v.header, alg: 'HS256' }, v.claims, ''),
  'a key of its own in the header': async (v) =>
    v.sign(v.claims, { ...v.header, jwk: await exportJWK(foreign.publicKey) }, foreign.privateKey),
  'a chain of its own in the header': (v) =>
    v.sign(
      v.claims,
      { ...v.header, x5c: [v.certificate.raw.toString('base64')] },
      foreign.privateKey,
    ),
  'a place to get its key from': (v) =>
    v.sign(v.claims, { ...v.header, jku: 'https://a.example/keys' }, foreign.privateKey),
  'an extension that must be understood': (v) => {
    const text = `${encode({ ...v.header, crit: ['a'], a: 1 })}.${encode(v.claims)}`
    return `${text}.${signBytes('sha256', Buffer.from(text), v.key).toString('base64url')}`
  },
  'an end that is no number': (v) => forge(v, { exp: 'tomorrow' }),
  'an end without bounds': (v) => forge(v, { exp: 1e300 }),
  'an end before the epoch': (v) => forge(v, { exp: -1 }),
  'a beginning to come': (v) => forge(v, { nbf: v.now + 3600 }),
  'an end that has come': (v) => forge(v, { exp: v.now - 3600 }),
  'no end': (v) => forge(v, { exp: undefined }),
  'an issuer that is a number': (v) => forge(v, { iss: 5 }),
  'an issuer that is a list': (v) => forge(v, { iss: [v.appId] }),
  'an issuer that is an object': (v) => forge(v, { iss: { toLowerCase: v.appId } }),
  'no issuer': (v) => forge(v, { iss: undefined }),
  'a subject that is a list': (v) => forge(v, { sub: [v.appId] }),
  'an audience that is an object': (v) => forge(v, { aud: { 0: ENDPOINT } }),
  'an audience that holds numbers': (v) => forge(v, { aud: [5] }),
  'no audience': (v) => forge(v, { aud: [] }),
  'a thumbprint that is a number': (v) => forge(v, {}, { x5t: 5 }),
  'a payload that is a list': (v) => unsigned(v.header, [v.claims]),
  'a payload that is nothing': (v) => unsigned(v.header, null),
  'no text': () => '....',
  'text that is no JSON': () => 'YQ.YQ.YQ',
  'five parts': (v) => `${unsigned(v.header, v.claims)}YQ.YQ.YQ`,
  'sixty thousand characters': (v) => forge(v, { a: 'a'.repeat(45_000) }, { x5t: 'AAAA' }),
  'a federated subject of somebody else': (v) =>
    v.sign({ ...v.federated, sub: 'jobs' }, { kid: 'one' }),
  'a federated audience of somebody else': (v) =>
    v.sign({ ...v.federated, aud: ENDPOINT }, { kid: 'one' }),
  'a federated token without signature': (v) => unsigned({ alg: 'none', kid: 'one' }, v.federated),
  "the federated issuer's public key as a secret": (v) =>
    withMac({ alg: 'HS256', kid: 'one' }, v.federated, JSON.stringify(v.jwk)),
  'a federated token of another key': (v) =>
    v.sign(v.federated, { kid: 'one' }, foreign.privateKey),
  'a federated token of an unknown key': (v) => v.sign(v.federated, { kid: '../../one' }),
  'a federated token that has ended': (v) =>
    v.sign({ ...v.federated, exp: v.now - 3600 }, { kid: 'one' }),
  'a federated token that has no end': (v) =>
    v.sign({ ...v.federated, exp: undefined }, { kid: 'one' }),
}

for (const [name, assertionOf] of Object.entries(ASSERTIONS)) {
  test(`401: an assertion with ${name}`, async (t) => {
    const v = await victimFor(t)
    const { status, body } = await v.present(await assertionOf(v))
    assert.deepEqual([status, body.error, body.access_token], [401, 'invalid_client', undefined])
  })
}

test('401: a good assertion for another client', async (t) => {
  const v = await victimFor(t)
  const other = await v.principals.create('other')
  const assertion = await v.sign(v.claims)
  const { status } = await v.present(assertion, { client_id: other.principal.appId })
  assert.equal(status, 401)
})

test('no token is good for what another kind of token is for', async (t) => {
  const { token, person, tokens } = await peopleFor(t)
  const { body } = await token({ grant_type: 'password', scope: SCOPE, ...person })
  assert.ok(await tokens.verifyAccessToken(body.access_token, ['arm']))
  assert.equal(await tokens.verifyAccessToken(body.access_token, ['graph', 'registry']), undefined)
  for (const kind of ['id_token', 'refresh_token'] as const) {
    const seen = await tokens.verifyAccessToken(body[kind], ['arm', 'graph', 'registry'])
    assert.equal(seen, undefined, kind)
  }
  for (const kind of ['id_token', 'access_token'] as const) {
    const form = { grant_type: 'refresh_token', scope: SCOPE, refresh_token: body[kind] }
    assert.equal((await token(form)).body.error, 'invalid_grant', kind)
  }
})

test('no access token is good after a change to any of its characters', async (t) => {
  const { token, person, tokens, keys } = await peopleFor(t)
  const { access_token: good } = (await token({ grant_type: 'password', scope: SCOPE, ...person }))
    .body
  const [header = '', payload = '', signature = ''] = String(good).split('.')
  const spki = keys.signing.publicKey.export({ type: 'spki', format: 'pem' })
  const said = JSON.parse(Buffer.from(payload, 'base64url').toString())
  for (const bad of [
    `${header}.${payload}.`,
    unsigned({ alg: 'none' }, said),
    withMac({ alg: 'HS256', kid: keys.signing.kid }, said, spki),
    `${header}.${encode({ ...said, oid: randomUUID() })}.${signature}`,
    `${header}.${payload}.${signature.slice(0, -2)}`,
    `${encode({ alg: 'PS256' })}.${payload}.${signature}`,
  ]) {
    assert.equal(await tokens.verifyAccessToken(bad, ['arm']), undefined, bad)
  }
})

// As deterministic as a table, and longer: the same seed makes the same requests.
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const JUNK = [
  ...[
    '',
    ' ',
    '0',
    '-1',
    'null',
    '[]',
    '{}',
    'a'.repeat(40_000),
    '\u0000',
    '\r\nset-cookie: a=b',
    '%',
    '%ff',
  ],
  ...[
    '__proto__',
    'constructor',
    "' OR 1=1 --",
    '../../etc/passwd',
    '🦭',
    '\ud800',
    'javascript:alert(1)',
  ],
  ...[
    'https://management.azure.com/.default',
    'https://management.azure.com',
    '.default',
    '/.default',
    'openid',
  ],
  ...[
    DEVICE_GRANT,
    'client_credentials',
    'password',
    'refresh_token',
    'authorization_code',
    'implicit',
  ],
  ...[BEARER, REDIRECT, VERIFIER, CLIENT, TENANT, 'eyJhbGciOiJub25lIn0.e30.'],
]
const NAMES = [
  ...[
    'grant_type',
    'client_id',
    'client_secret',
    'client_assertion',
    'client_assertion_type',
    'scope',
    'resource',
  ],
  ...[
    'username',
    'password',
    'refresh_token',
    'code',
    'code_verifier',
    'redirect_uri',
    'device_code',
    'claims',
  ],
  '__proto__',
]
const REQUESTS = 1000

test('a thousand broken token requests are refused, each as the fault of the client', async (t) => {
  const v = await victimFor(t)
  const pick = random(20)
  const one = <T>(of: readonly T[]): T => of[pick(of.length)] as T
  const good: readonly Record<string, string>[] = [
    {
      grant_type: 'client_credentials',
      client_id: v.appId,
      client_secret: 'cws_wrong',
      scope: 'https://management.azure.com/.default',
    },
    {
      grant_type: 'client_credentials',
      client_id: v.appId,
      client_assertion_type: BEARER,
      client_assertion: 'e30.e30.',
      scope: 'https://management.azure.com/.default',
    },
    { grant_type: 'password', username: v.person.username, password: 'wrong', scope: SCOPE },
    { grant_type: 'refresh_token', refresh_token: 'e30.e30.', scope: SCOPE },
    {
      grant_type: 'authorization_code',
      code: 'wrong',
      code_verifier: VERIFIER,
      redirect_uri: REDIRECT,
    },
    { grant_type: DEVICE_GRANT, device_code: 'wrong' },
  ]
  for (let count = 0; count < REQUESTS; count += 1) {
    const form: Record<string, string> = { ...one(good) }
    for (let changes = pick(4); changes >= 0; changes -= 1) {
      const name = one(pick(3) === 0 ? NAMES : Object.keys(form))
      if (pick(5) === 0) delete form[name]
      else
        Object.defineProperty(form, name, {
          value: one(JUNK),
          enumerable: true,
          configurable: true,
          writable: true,
        })
    }
    const { status, body } = await v.token(form)
    const shown = `request ${count}: ${JSON.stringify(form).slice(0, 500)}`
    assert.ok(status >= 400 && status < 500, `${shown} ${status}`)
    assert.equal(typeof body.error, 'string', shown)
    assert.equal(body.access_token, undefined, shown)
  }
})

import 'reflect-metadata'
import assert from 'node:assert/strict'
import { createHash, randomUUID, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { X509CertificateGenerator } from '@peculiar/x509'
import { exportJWK, SignJWT } from 'jose'
import { createClientAssertions } from './client-assertion.ts'
import { certificateOf, createCredentials } from './credentials.ts'
import { identityFor, TENANT } from './identity-for-tests.ts'

const ENDPOINT = `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/token`
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
}

async function makeCertificate(days = 30) {
  const keys = await crypto.subtle.generateKey(RSA, true, ['sign', 'verify'])
  const now = Date.now()
  const made = await X509CertificateGenerator.createSelfSigned({
    keys,
    name: 'CN=client',
    notBefore: new Date(now - 60_000),
    notAfter: new Date(now + days * 86_400_000),
    signingAlgorithm: RSA,
  })
  return { keys, certificate: new X509Certificate(made.toString('pem')) }
}

async function clientFor(t: { after(hook: () => Promise<void>): void }) {
  const identity = await identityFor(t)
  const credentials = createCredentials(identity)
  const { principal } = await identity.principals.create('robot')
  const { keys, certificate } = await makeCertificate()
  await credentials.setCertificates(principal.objectId, [certificateOf(certificate)])
  const assertions = createClientAssertions({ ...identity, credentials })
  const x5t = createHash('sha1').update(certificate.raw).digest('base64url')
  const sign = (
    claims: Readonly<Record<string, unknown>> = {},
    header = {},
    key = keys.privateKey,
  ) => {
    const now = Math.floor(identity.clock.now().getTime() / 1000)
    const own = { aud: ENDPOINT, iss: principal.appId, sub: principal.appId }
    return new SignJWT({ ...own, exp: now + 600.5, jti: randomUUID(), ...claims })
      .setProtectedHeader({ alg: 'RS256', x5t, ...header })
      .sign(key)
  }
  const verify = (assertion: string) =>
    assertions.verify(principal.appId, assertion, (audience) => audience === ENDPOINT)
  return { ...identity, credentials, principal, sign, verify }
}

test('an assertion signed by a registered certificate signs in, and its token ends with the certificate', async (t) => {
  const { sign, verify, principal, principals, credentials } = await clientFor(t)
  const signIn = await verify(await sign())
  assert.deepEqual(signIn?.principal, principal)
  assert.deepEqual(await principals.byCredential(signIn?.credential ?? ''), principal)
  await credentials.setCertificates(principal.objectId, [])
  assert.equal(await principals.byCredential(signIn?.credential ?? ''), undefined)
})

test('a thumbprint may have padding, or be of SHA-256', async (t) => {
  const { sign, verify, credentials, principal } = await clientFor(t)
  const [known] = await credentials.certificates(principal.objectId)
  const print = (algorithm: string) =>
    createHash(algorithm)
      .update(known?.certificate.raw ?? '')
      .digest('base64')
  assert.ok(await verify(await sign({}, { x5t: print('sha1') })))
  assert.ok(await verify(await sign({}, { x5t: undefined, 'x5t#S256': print('sha256') })))
})

test('an assertion signs in again until it ends, as MSAL shows it for every scope', async (t) => {
  const { sign, verify, pass } = await clientFor(t)
  const assertion = await sign({ jti: undefined })
  assert.ok(await verify(assertion))
  assert.ok(await verify(assertion))
  pass(901)
  await assert.rejects(verify(assertion), { status: 401, code: 700024 })
})

for (const [why, claims, header, code] of [
  ['another audience', { aud: 'https://elsewhere.example/oauth2/token' }, {}, 700023],
  ['two audiences, one of them foreign', { aud: [ENDPOINT, 'https://a.example'] }, {}, 700023],
  ['another subject', { sub: 'somebody' }, {}, 700021],
  ['a past end', { exp: 1_000_000 }, {}, 700024],
  ['an end too far away', { exp: 9_000_000_000 }, {}, 700024],
  ['an unknown certificate', {}, { x5t: 'AAAA' }, 700027],
  ['no thumbprint', {}, { x5t: undefined }, 700027],
  ['an unknown issuer', { iss: 'https://ci.example' }, {}, 70021],
] as const) {
  test(`401: an assertion with ${why}`, async (t) => {
    const { sign, verify } = await clientFor(t)
    await assert.rejects(verify(await sign(claims as Readonly<Record<string, unknown>>, header)), {
      status: 401,
      code,
    })
  })
}

test('401: an assertion signed by another key, or by none', async (t) => {
  const { sign, verify } = await clientFor(t)
  const { keys } = await makeCertificate()
  await assert.rejects(verify(await sign({}, {}, keys.privateKey)), { code: 50013 })
  const [, payload] = (await sign()).split('.')
  const header = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
  await assert.rejects(verify(`${header}.${payload}.`), { status: 401 })
  await assert.rejects(verify('no token'), { status: 401, code: 50027 })
})

test('401: a certificate that has ended', async (t) => {
  const { sign, verify, pass } = await clientFor(t)
  pass(31 * 86_400)
  await assert.rejects(verify(await sign()), { status: 401, code: 700024 })
})

test('a federated token signs in as often as it is shown, until its credential goes', async (t) => {
  const { sign, verify, credentials, principal, principals } = await clientFor(t)
  const { keys } = await makeCertificate()
  const issuer = { iss: 'https://ci.example', sub: 'repo:a', aud: 'api://AzureADTokenExchange' }
  const federated = {
    id: randomUUID(),
    name: 'ci',
    issuer: issuer.iss,
    subject: issuer.sub,
    audiences: [issuer.aud],
    description: null,
    keys: { keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'one' }] },
  }
  await credentials.putFederated(principal.objectId, federated)
  const token = await sign(issuer, { kid: 'one', x5t: undefined }, keys.privateKey)
  const signIn = await verify(token)
  assert.deepEqual(signIn?.principal, principal)
  assert.ok(await verify(token))
  const foreign = await sign({ ...issuer, sub: 'repo:b' }, { kid: 'one' }, keys.privateKey)
  await assert.rejects(verify(foreign), { status: 401, code: 70021 })
  await assert.rejects(verify(await sign(issuer, { kid: 'one' })), { status: 401, code: 50013 })
  await credentials.removeFederated(principal.objectId, federated.id)
  assert.equal(await principals.byCredential(signIn?.credential ?? ''), undefined)
})

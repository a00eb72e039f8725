import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { createAuthenticator } from './authenticator.ts'
import { identityFor, TENANT, type TestIdentity } from './identity-for-tests.ts'

const ARM = 'https://management.core.windows.net/'

async function signedIn({ principals, tokens }: TestIdentity, audience = ARM) {
  const { principal, secret } = await principals.create('ci')
  const minted = await principals.mintSecret(principal, 'program-1')
  const issue = async (with_: string) => {
    const signIn = await principals.authenticate(principal.appId, with_)
    assert.ok(signIn)
    return tokens.issueAccessToken({ signIn, audience, lifetimeSeconds: 60 })
  }
  return { principal, own: await issue(secret), byMinted: await issue(minted) }
}

test('a token stands for its principal, until it expires', async (t) => {
  const identity = await identityFor(t)
  const { principal, own } = await signedIn(identity)
  const claims = await identity.tokens.verifyAccessToken(own, ['arm'])
  assert.deepEqual(claims?.principal, principal)
  identity.pass(61)
  assert.equal(await identity.tokens.verifyAccessToken(own, ['arm']), undefined)
})

test('a token is good for its audience only', async (t) => {
  const identity = await identityFor(t)
  const { own } = await signedIn(identity, 'https://containerregistry.azure.net')
  assert.equal(await identity.tokens.verifyAccessToken(own, ['arm']), undefined)
  assert.ok(await identity.tokens.verifyAccessToken(own, ['arm', 'registry']))
})

test('a token ends with the secret that obtained it', async (t) => {
  const identity = await identityFor(t)
  const { own, byMinted } = await signedIn(identity)
  await identity.principals.revokeSecrets('program-1')
  assert.equal(await identity.tokens.verifyAccessToken(byMinted, ['arm']), undefined)
  assert.ok(await identity.tokens.verifyAccessToken(own, ['arm']))
})

test('a token ends with its principal', async (t) => {
  const identity = await identityFor(t)
  const { principal, own } = await signedIn(identity)
  await identity.principals.delete(principal.objectId)
  assert.equal(await identity.tokens.verifyAccessToken(own, ['arm']), undefined)
})

test('a token by another key or algorithm is nothing', async (t) => {
  const identity = await identityFor(t)
  const other = await identityFor(t)
  const { own } = await signedIn(other)
  assert.equal(await identity.tokens.verifyAccessToken(own, ['arm']), undefined)
  const hmac = await new SignJWT({ oid: 'x', cred: 'x' })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer(`https://sts.windows.net/${TENANT}/`)
    .setAudience(ARM)
    .setExpirationTime('1h')
    .sign(identity.keys.signing.publicKey.export({ type: 'spki', format: 'der' }))
  assert.equal(await identity.tokens.verifyAccessToken(hmac, ['arm']), undefined)
  assert.equal(await identity.tokens.verifyAccessToken('rubbish', ['arm']), undefined)
})

test('an Authorization header holds exactly one bearer token', async (t) => {
  const identity = await identityFor(t)
  const { principal, own } = await signedIn(identity)
  const { byHeader } = createAuthenticator(identity)
  assert.deepEqual(await byHeader(`bearer ${own}`, ['arm']), principal)
  for (const header of [undefined, '', own, `Basic ${own}`, `Bearer ${own} ${own}`]) {
    assert.equal(await byHeader(header, ['arm']), undefined)
  }
})

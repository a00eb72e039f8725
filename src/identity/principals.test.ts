import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identityFor } from './identity-for-tests.ts'
import { PrincipalExists } from './principal-name.ts'

test('a principal signs in with its secret and with no other', async (t) => {
  const { principals } = await identityFor(t)
  const { principal, secret } = await principals.create('ci')
  const signIn = await principals.authenticate(principal.appId.toUpperCase(), secret)
  assert.deepEqual(signIn?.principal, principal)
  assert.equal(await principals.authenticate(principal.appId, `${secret}x`), undefined)
  assert.equal(await principals.authenticate(principal.objectId, secret), undefined)
})

test('names are unique in any case', async (t) => {
  const { principals } = await identityFor(t)
  const { principal } = await principals.create('Deployer')
  await assert.rejects(principals.create('dEPLOYER'), { name: 'PrincipalExists' })
  await assert.rejects(principals.create(' '), { name: 'InvalidPrincipalName' })
  assert.deepEqual(await principals.byName('DEPLOYER'), principal)
  assert.deepEqual(await principals.list(), [principal])
})

test('a reset secret replaces the old one and leaves minted ones', async (t) => {
  const { principals } = await identityFor(t)
  const { principal, secret } = await principals.create('ci')
  const minted = await principals.mintSecret(principal, 'program-1')
  const reset = await principals.resetSecret(principal.objectId)
  assert.equal(await principals.authenticate(principal.appId, secret), undefined)
  assert.ok(await principals.authenticate(principal.appId, reset?.secret ?? ''))
  assert.ok(await principals.authenticate(principal.appId, minted))
})

test('a minted secret ends with its owner', async (t) => {
  const { principals } = await identityFor(t)
  const { principal, secret } = await principals.create('ci')
  const minted = await principals.mintSecret(principal, 'program-1')
  await principals.revokeSecrets('program-1')
  assert.equal(await principals.authenticate(principal.appId, minted), undefined)
  assert.ok(await principals.authenticate(principal.appId, secret))
})

test('nothing is left of a deleted principal, and its name is free again', async (t) => {
  const { principals } = await identityFor(t)
  const { principal, secret } = await principals.create('ci')
  const minted = await principals.mintSecret(principal, 'program-1')
  await principals.delete(principal.objectId)
  assert.equal(await principals.authenticate(principal.appId, secret), undefined)
  assert.equal(await principals.authenticate(principal.appId, minted), undefined)
  await principals.create('ci')
})

test('two people never have one name to sign in with', async (t) => {
  const { principals } = await identityFor(t)
  const { secret } = await principals.create('Ann Lee', 'User')
  for (const name of ['ann.lee', 'ANN  LEE', 'ann.lee@causeway.onmicrosoft.com']) {
    await assert.rejects(principals.create(name, 'User'), PrincipalExists)
  }
  assert.ok(await principals.authenticateUser('ann.lee@causeway.onmicrosoft.com', secret))
  // A program signs in by its id.
  await principals.create('ann.lee')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cloudMetadata } from './cloud-metadata.ts'

const OPTIONS = { registryDomain: 'azurecr.io', tenantId: 't' }

test('on the host everything that gets a token is at the one origin', () => {
  const { legacy, list } = cloudMetadata('https://localhost:4443', OPTIONS)
  assert.doesNotMatch(JSON.stringify([legacy, list]), /https:\/\/(?!localhost:4443\/)/)
  assert.match(JSON.stringify(legacy), /"loginEndpoint":"https:\/\/localhost:4443\/adfs"/)
  assert.match(JSON.stringify(list), /"acrLoginServer":"azurecr.io"/)
})

test("by the public cloud's name a client learns the public cloud's names", () => {
  const text = JSON.stringify(cloudMetadata('https://management.azure.com', OPTIONS).list)
  assert.match(text, /"loginEndpoint":"https:\/\/login.microsoftonline.com"/)
  assert.match(text, /"microsoftGraphResourceId":"https:\/\/graph.microsoft.com\/"/)
})

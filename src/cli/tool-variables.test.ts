import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toolVariables } from './tool-variables.ts'

const status = {
  dataFolder: '/data',
  urls: { control: 'https://localhost:7443/', authority: '', metadata: '' },
  authorities: { place: '/p.pem', host: '/h.pem', bundle: '/pb.pem', hostBundle: '/hb.pem' },
  tenantId: 'tenant',
  subscriptionId: 'subscription',
}

test('without a principal no credentials are set, and those of others are taken away', () => {
  const variables = toolVariables({ status, inherited: { AZURE_CLIENT_SECRET: 'real' } })
  assert.equal(variables.AZURE_CLIENT_SECRET, null)
  assert.equal(variables.ARM_CLIENT_SECRET, null)
  assert.equal(variables.AZURE_CLIENT_ID, null)
})

test('nothing falls back to the account of az', () => {
  const { AZURE_TOKEN_CREDENTIALS, ARM_USE_CLI, AZURE_CONFIG_DIR } = toolVariables({
    status,
    inherited: {},
  })
  assert.deepEqual(
    [AZURE_TOKEN_CREDENTIALS, ARM_USE_CLI, AZURE_CONFIG_DIR],
    ['EnvironmentCredential', 'false', undefined],
  )
})

test('the certificate authority of places is never trusted on the host', () => {
  const values = Object.values(toolVariables({ status, inherited: {} }))
  assert.ok(!values.includes('/p.pem') && !values.includes('/pb.pem'))
})

test('requests to this host go past a proxy, where there is one', () => {
  const inherited = { https_proxy: 'http://proxy.example', no_proxy: 'intern.example' }
  const { no_proxy, NO_PROXY } = toolVariables({ status, inherited })
  assert.equal(no_proxy, 'intern.example,localhost,127.0.0.1')
  assert.equal(NO_PROXY, no_proxy)
  assert.equal(toolVariables({ status, inherited: {} }).no_proxy, undefined)
})

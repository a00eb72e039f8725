import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reachOf } from './az-reach.ts'

const reachOfLine = (line: string) => reachOf(line.split(' ').filter((word) => word !== ''))

test('what asks the control plane only runs on the host', () => {
  for (const line of [
    '',
    'acr list',
    'acr create -g g -n r --sku Premium',
    'acr import -n r --source mcr.microsoft.com/hello-world',
    'acr private-endpoint-connection approve -n c -r r',
    'acr token credential generate -n t -r r',
    'network vnet subnet update -g g --vnet-name v -n s',
    'network private-dns record-set a add-record',
    'ad sp list --all',
    'role assignment create --assignee x',
    'deployment group create -g g -f main.json',
    'account show',
  ]) {
    assert.equal(reachOfLine(line), 'host', line)
  }
})

test('what reaches a login server runs in the place', () => {
  for (const line of [
    'acr login -n r',
    'acr login -n r --expose-token',
    'acr repository list -n r',
    'acr repository show-tags -n r --repository x',
    'acr manifest list-metadata -r r -n x',
    'acr manifest metadata list -r r -n x',
    'acr check-health -n r --yes',
    'acr helm list -n r',
    'acr build -r r .',
    'acr task logs -r r',
    'acr run -r r /dev/null',
    'acr pack build -r r .',
  ]) {
    assert.equal(reachOfLine(line), 'internet', line)
  }
})

test('what is not known, or could be hidden, runs in the place', () => {
  for (const line of [
    'acr',
    'acr something-new',
    'acr show-something-new -n r',
    'acr --debug login -n r',
    '--debug acr login -n r',
    '-o table acr list',
    '@words',
    'acr @words',
    'an-alias',
    'rest --url https://r.azurecr.io/v2/',
    'rest --url /subscriptions?api-version=2019-11-01',
    'interactive',
    'storage blob list',
    'keyvault secret list --vault-name v',
    'network bastion tunnel',
    '-- acr list',
  ]) {
    assert.equal(reachOfLine(line), 'internet', line)
  }
})

test('the case of a command decides nothing, as in az', () => {
  assert.equal(reachOfLine('ACR Login -n r'), 'internet')
  assert.equal(reachOfLine('ACR List'), 'host')
})

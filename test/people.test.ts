import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createArmClient } from './support/arm-client.ts'
import { AZ_LOGIN, az, bash, signIn } from './support/az.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { makeGroup, makeRegistry } from './support/private-registry.ts'
import { failed, succeeded } from './support/run.ts'

// The tests build on each other, as the commands of a person do.
describe('az manages who may do what', { ...needs('root', 'ip', 'az'), timeout: 600_000 }, () => {
  let causeway: Causeway
  let folder: string
  let scope: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'causeway-people-'))
    causeway = await startCauseway()
    const arm = await createArmClient(causeway)
    const group = await makeGroup(arm, 'people')
    await makeRegistry(arm, group, 'peoplehouse')
    scope = `${arm.subscription}/resourceGroups/people`
    await signIn(causeway)
  })
  after(async () => {
    await causeway?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  const run = async (...args: readonly string[]): Promise<string> =>
    succeeded(await az(causeway, [...args, '--output', 'tsv'])).trim()
  const json = async (...args: readonly string[]) =>
    JSON.parse(succeeded(await az(causeway, [...args, '--output', 'json'])))
  /** Signs in anew as somebody else, in a configuration of their own, and runs a script there. */
  const asProgram = (appId: string, secret: string, script: string) =>
    bash(causeway, internet, `export AZURE_CONFIG_DIR=$(mktemp -d)\n${AZ_LOGIN}\n${script}`, {
      variables: { AZURE_CLIENT_ID: appId, AZURE_CLIENT_SECRET: secret },
    })

  let made: { appId: string; password: string; tenant: string }
  test('ad sp create-for-rbac makes somebody who signs in and has the role', async () => {
    made = await json(
      'ad',
      'sp',
      'create-for-rbac',
      '-n',
      'reader',
      '--role',
      'Reader',
      '--scopes',
      scope,
    )
    assert.equal(made.tenant, (await causeway.status()).tenantId)
    const shown = await asProgram(made.appId, made.password, 'az acr list --query [].name -o tsv')
    assert.equal(succeeded(shown).trim(), 'peoplehouse')
    const refused = await asProgram(made.appId, made.password, 'az group delete -n people --yes')
    assert.match(failed(refused), /AuthorizationFailed/)
  })

  test('ad sp and ad app list and show it', async () => {
    assert.equal(
      await run('ad', 'sp', 'list', '--display-name', 'read', '--query', '[].appId'),
      made.appId,
    )
    assert.equal(
      await run('ad', 'sp', 'show', '--id', made.appId, '--query', 'displayName'),
      'reader',
    )
    assert.equal(await run('ad', 'app', 'show', '--id', made.appId, '--query', 'appId'), made.appId)
    assert.match(await run('ad', 'app', 'list', '--query', '[].displayName'), /^reader$/m)
  })

  test('role assignment create, list and delete take it by its application id', async () => {
    const registry = `${scope}/providers/Microsoft.ContainerRegistry/registries/peoplehouse`
    const who = ['--assignee', made.appId, '--scope', registry]
    await run('role', 'assignment', 'create', ...who, '--role', 'AcrPush')
    const listed = ['role', 'assignment', 'list', ...who]
    const names = ['--query', '[].[principalName,roleDefinitionName]']
    assert.equal(await run(...listed, ...names), `${made.appId}\tAcrPush`)
    assert.match(await run('role', 'assignment', 'list', '--all', ...names), /\tReader$/m)
    await run('role', 'assignment', 'delete', ...who, '--role', 'AcrPush')
    assert.equal(await run(...listed), '')
  })

  test('role definition create gives a role that can be assigned, listed and deleted', async () => {
    const file = join(folder, 'role.json')
    const role = {
      Name: 'Registry Namer',
      Description: 'Reads and tags registries',
      Actions: [
        'Microsoft.ContainerRegistry/registries/read',
        'Microsoft.ContainerRegistry/registries/write',
      ],
      AssignableScopes: [scope],
    }
    await writeFile(file, JSON.stringify(role))
    assert.equal(
      await run('role', 'definition', 'create', '--role-definition', file, '--query', 'roleName'),
      'Registry Namer',
    )
    const custom = ['role', 'definition', 'list', '--custom-role-only', '--query', '[].roleName']
    assert.equal(await run(...custom), 'Registry Namer')
    const who = ['--assignee', made.appId, '--role', 'Registry Namer', '--scope', scope]
    await run('role', 'assignment', 'create', ...who)
    const tag = 'az acr update -n peoplehouse --tags by=namer --query tags.by -o tsv'
    assert.equal(succeeded(await asProgram(made.appId, made.password, tag)).trim(), 'namer')
    const deletion = ['role', 'definition', 'delete', '--name', 'Registry Namer']
    assert.match(failed(await az(causeway, deletion)), /RoleDefinitionHasAssignments/)
    await run('role', 'assignment', 'delete', ...who)
    assert.match(failed(await asProgram(made.appId, made.password, tag)), /AuthorizationFailed/)
    await run(...deletion)
    assert.equal(await run(...custom), '')
    assert.match(
      await run('role', 'definition', 'list', '--name', 'AcrImageSigner'),
      /AcrImageSigner/,
    )
  })

  test('exit code 1: a reader makes nobody', async () => {
    const script = 'az ad sp create-for-rbac -n intruder'
    assert.match(
      failed(await asProgram(made.appId, made.password, script)),
      /Insufficient privileges/,
    )
  })

  test('a new password replaces the old one', async () => {
    const reset = await json('ad', 'sp', 'credential', 'reset', '--id', made.appId)
    const refused = await asProgram(made.appId, made.password, 'true')
    assert.match(failed(refused), /AADSTS7000215/)
    succeeded(await asProgram(made.appId, reset.password, 'true'))
    made = { ...made, password: reset.password }
  })

  test('ad sp delete and ad app delete leave nobody', async () => {
    await run('ad', 'sp', 'delete', '--id', made.appId)
    assert.match(failed(await asProgram(made.appId, made.password, 'true')), /AADSTS/)
    await run('ad', 'app', 'delete', '--id', made.appId)
    assert.equal((await az(causeway, ['ad', 'app', 'show', '--id', made.appId])).code, 3)
  })
})

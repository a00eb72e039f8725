import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { createPrincipal } from './support/principals.ts'
import { makeGroup, makeRegistry } from './support/private-registry.ts'
import { failed, run, succeeded } from './support/run.ts'
import { projectFolder } from './support/shared-data.ts'

// The SDK as its documentation has it: only the cloud's own address is given, for which no SDK has a variable.
const SDK_PROGRAM = `
import os
from azure.identity import DefaultAzureCredential
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
cloud = 'https://' + os.environ['ARM_METADATA_HOSTNAME']
client = ContainerRegistryManagementClient(
    DefaultAzureCredential(), os.environ['AZURE_SUBSCRIPTION_ID'],
    base_url=cloud, credential_scopes=[cloud + '/.default'])
print(*[registry.name for registry in client.registries.list()])
`

describe('causeway env', {
  ...needs('places', 'ip', 'az', 'curl', 'fish'),
  timeout: 180_000,
}, () => {
  let causeway: Causeway
  let folder: string
  let secretFile: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'causeway-env-'))
    causeway = await startCauseway()
    const arm = await createArmClient(causeway)
    await makeRegistry(arm, await makeGroup(arm, 'tools'), 'toolhouse')
    secretFile = join(folder, 'secret')
    const { secret } = await createPrincipal(causeway, 'robot', '--role', 'Reader')
    await writeFile(secretFile, `${secret}\n`, { mode: 0o600 })
  })
  after(async () => {
    await causeway?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  /** A script after the evaluation, by somebody who has a real account. */
  const evaluated = (flags: string, script: string) =>
    run(
      'sh',
      ['-euc', `eval "$("$0" env ${flags})"\n${script}`, join(projectFolder, 'bin/causeway')],
      {
        environment: {
          ...process.env,
          HOME: folder,
          CAUSEWAY_DATA: causeway.dataFolder,
          AZURE_CLIENT_SECRET: 'real',
          ARM_CLIENT_SECRET: 'real',
        },
      },
    )

  test('an SDK works as the principal whose secret is in a file', async () => {
    await writeFile(join(folder, 'sdk.py'), SDK_PROGRAM)
    const flags = `--as robot --secret-file '${secretFile}'`
    const finished = await evaluated(flags, `/usr/bin/python3 '${join(folder, 'sdk.py')}'`)
    assert.equal(succeeded(finished).trim(), 'toolhouse')
  })

  test('without --as there are no credentials, neither ours nor the real ones', async () => {
    const shown = succeeded(await evaluated('', 'env'))
    assert.doesNotMatch(shown, /^(AZURE|ARM)_CLIENT_/m)
    assert.match(shown, /^ARM_USE_CLI=false$/m)
    await writeFile(join(folder, 'sdk.py'), SDK_PROGRAM)
    const refused = await evaluated('', `/usr/bin/python3 '${join(folder, 'sdk.py')}'`)
    assert.match(failed(refused), /ClientAuthenticationError/)
  })

  test('what Terraform asks for is answered: metadata, then a token where they say', async () => {
    const script = `
      endpoint=$(curl -sSf "https://$ARM_METADATA_HOSTNAME/metadata/endpoints?api-version=2022-09-01" |
        sed 's/.*"loginEndpoint":"\\([^"]*\\)".*/\\1/')
      curl -sSf "$endpoint/$ARM_TENANT_ID/oauth2/v2.0/token" -d grant_type=client_credentials \\
        -d "client_id=$ARM_CLIENT_ID" --data-urlencode "client_secret=$(cat "$ARM_CLIENT_SECRET_FILE_PATH")" \\
        --data-urlencode "scope=https://$ARM_METADATA_HOSTNAME//.default"`
    const answer = JSON.parse(
      succeeded(await evaluated(`--as robot --secret-file '${secretFile}'`, script)),
    )
    assert.match(answer.access_token, /^ey/)
  })

  test('fish and JSON say the same', async () => {
    const json = JSON.parse(succeeded(await causeway.command(['env', '--json'])))
    assert.equal(json.AZURE_CLIENT_SECRET, null)
    const script = 'eval "$argv[1]"; env'
    const lines = succeeded(await causeway.command(['env', '--shell', 'fish']))
    const environment = { ...process.env, HOME: folder, AZURE_CLIENT_SECRET: 'real' }
    const shown = succeeded(
      await run('fish', ['--no-config', '-c', script, lines], { environment }),
    )
    for (const [name, value] of Object.entries(json)) {
      const expected = value === null ? undefined : `${name}=${value}`
      const found = shown.split('\n').find((each) => each.startsWith(`${name}=`))
      assert.equal(found, expected)
    }
  })

  test('1: a secret that others can read', async () => {
    await chmod(secretFile, 0o644)
    const refused = await causeway.command(['env', '--as', 'robot', '--secret-file', secretFile])
    assert.equal(refused.stdout, 'false\n')
    assert.match(failed(refused), /Others than you can read .*chmod 600/)
    await chmod(secretFile, 0o600)
  })

  test('a shell that evaluates a failure fails, and does not go on with another cloud', async () => {
    const went = await evaluated('--as nobody', 'echo went on')
    assert.doesNotMatch(failed(went), /went on/)
    assert.match(went.stderr, /There is no principal 'nobody'/)
  })

  test('2: a secret of nobody', async () => {
    const refused = await causeway.command(['env', '--secret-file', secretFile])
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /say whose with --as/)
  })
})

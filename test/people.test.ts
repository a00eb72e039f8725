import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { SignJWT } from 'jose'
import type { CreatedPrincipal } from '../src/operator/contract.ts'
import { createArmClient } from './support/arm-client.ts'
import { AZ_LOGIN, az, bash, signIn } from './support/az.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { createPrincipal } from './support/principals.ts'
import { makeGroup, makeRegistry } from './support/private-registry.ts'
import { failed, run, succeeded } from './support/run.ts'

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

  const tsv = async (...args: readonly string[]): Promise<string> =>
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
      await tsv('ad', 'sp', 'list', '--display-name', 'read', '--query', '[].appId'),
      made.appId,
    )
    assert.equal(
      await tsv('ad', 'sp', 'show', '--id', made.appId, '--query', 'displayName'),
      'reader',
    )
    assert.equal(await tsv('ad', 'app', 'show', '--id', made.appId, '--query', 'appId'), made.appId)
    assert.match(await tsv('ad', 'app', 'list', '--query', '[].displayName'), /^reader$/m)
  })

  test('role assignment create, list and delete take it by its application id', async () => {
    const registry = `${scope}/providers/Microsoft.ContainerRegistry/registries/peoplehouse`
    const who = ['--assignee', made.appId, '--scope', registry]
    await tsv('role', 'assignment', 'create', ...who, '--role', 'AcrPush')
    const listed = ['role', 'assignment', 'list', ...who]
    const names = ['--query', '[].[principalName,roleDefinitionName]']
    assert.equal(await tsv(...listed, ...names), `${made.appId}\tAcrPush`)
    assert.match(await tsv('role', 'assignment', 'list', '--all', ...names), /\tReader$/m)
    await tsv('role', 'assignment', 'delete', ...who, '--role', 'AcrPush')
    assert.equal(await tsv(...listed), '')
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
      await tsv('role', 'definition', 'create', '--role-definition', file, '--query', 'roleName'),
      'Registry Namer',
    )
    const custom = ['role', 'definition', 'list', '--custom-role-only', '--query', '[].roleName']
    assert.equal(await tsv(...custom), 'Registry Namer')
    const who = ['--assignee', made.appId, '--role', 'Registry Namer', '--scope', scope]
    await tsv('role', 'assignment', 'create', ...who)
    const tag = 'az acr update -n peoplehouse --tags by=namer --query tags.by -o tsv'
    assert.equal(succeeded(await asProgram(made.appId, made.password, tag)).trim(), 'namer')
    const deletion = ['role', 'definition', 'delete', '--name', 'Registry Namer']
    assert.match(failed(await az(causeway, deletion)), /RoleDefinitionHasAssignments/)
    await tsv('role', 'assignment', 'delete', ...who)
    assert.match(failed(await asProgram(made.appId, made.password, tag)), /AuthorizationFailed/)
    await tsv(...deletion)
    assert.equal(await tsv(...custom), '')
    assert.match(
      await tsv('role', 'definition', 'list', '--name', 'AcrImageSigner'),
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
    await tsv('ad', 'sp', 'delete', '--id', made.appId)
    assert.match(failed(await asProgram(made.appId, made.password, 'true')), /AADSTS/)
    await tsv('ad', 'app', 'delete', '--id', made.appId)
    assert.equal((await az(causeway, ['ad', 'app', 'show', '--id', made.appId])).code, 3)
  })
})

describe('programs sign in without a secret', {
  ...needs('root', 'ip', 'az', 'openssl'),
  timeout: 300_000,
}, () => {
  let causeway: Causeway
  let folder: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'causeway-keys-'))
    causeway = await startCauseway()
    for (const name of ['robot', 'issuer', 'stranger']) {
      succeeded(
        await run('openssl', [
          ...[
            'req',
            '-x509',
            '-newkey',
            'rsa:2048',
            '-nodes',
            '-days',
            '2',
            '-subj',
            `/CN=${name}`,
          ],
          ...['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.crt`)],
        ]),
      )
      const parts = await Promise.all(
        ['key', 'crt'].map((part) => readFile(join(folder, `${name}.${part}`), 'utf8')),
      )
      await writeFile(join(folder, `${name}.pem`), parts.join(''))
    }
  })
  after(async () => {
    await causeway?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  const login = (appId: string, credential: string) =>
    bash(
      causeway,
      internet,
      `az login --service-principal -u ${appId} --tenant "$AZURE_TENANT_ID" --allow-no-subscriptions -o none ${credential}
      az account get-access-token --query tokenType -o tsv`,
    )

  test('by a certificate, and by no other', async () => {
    const pem = join(folder, 'robot.pem')
    const flags = ['--certificate', pem, '--role', 'Reader']
    const { appId, secret } = await createPrincipal(causeway, 'robot', ...flags)
    assert.equal(secret, undefined)
    assert.equal(succeeded(await login(appId, `-p ${pem}`)).trim(), 'Bearer')
    const refused = await login(appId, `-p ${join(folder, 'stranger.pem')}`)
    assert.match(failed(refused), /AADSTS700027/)
  })

  test('by the token of an issuer whose keys are registered', async () => {
    await signIn(causeway)
    const read = (name: string) => readFile(join(folder, name), 'utf8')
    const jwk = createPublicKey(await read('issuer.crt')).export({ format: 'jwk' })
    const audiences = ['api://AzureADTokenExchange']
    const federation = { name: 'ci', issuer: 'https://ci.example', subject: 'job:1', audiences }
    const file = join(folder, 'federation.json')
    await writeFile(file, JSON.stringify({ ...federation, jwks: { keys: [jwk] } }))
    const created = await az(causeway, ['ad', 'sp', 'create-for-rbac', '-n', 'job', '-o', 'json'])
    const { appId } = JSON.parse(succeeded(created))
    const federate = ['ad', 'app', 'federated-credential', 'create', '--id', appId]
    succeeded(await az(causeway, [...federate, '--parameters', `@${file}`]))

    const key = createPrivateKey(await read('issuer.key'))
    const token = (subject: string) =>
      new SignJWT({ iss: federation.issuer, sub: subject, aud: audiences })
        .setProtectedHeader({ alg: 'RS256' })
        .setExpirationTime('10m')
        .sign(key)
    const accepted = await login(appId, `--federated-token ${await token('job:1')}`)
    assert.equal(succeeded(accepted).trim(), 'Bearer')
    const refused = await login(appId, `--federated-token ${await token('job:2')}`)
    assert.match(failed(refused), /AADSTS70021/)
  })

  test('principal reset gives a new secret, once', async () => {
    const { appId, secret } = JSON.parse(
      succeeded(await causeway.command(['principal', 'reset', 'robot', '--json'])),
    )
    assert.equal(succeeded(await login(appId, `-p ${secret}`)).trim(), 'Bearer')
    succeeded(await causeway.command(['principal', 'reset', 'robot']))
    assert.match(failed(await login(appId, `-p ${secret}`)), /AADSTS7000215/)
    assert.match(failed(await causeway.command(['principal', 'reset', 'nobody'])), /no principal/)
  })
})

describe('programs have a managed identity', {
  ...needs('root', 'ip', 'az', 'curl'),
  timeout: 300_000,
}, () => {
  let causeway: Causeway
  before(async () => {
    causeway = await startCauseway()
    succeeded(await causeway.command(['principal', 'create', 'robot', '--role', 'Reader']))
  })
  after(() => causeway?.remove())

  const ask = `curl -sS --max-time 10 -H Metadata:true "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/"`
  const management = `curl -sS -o /dev/null -w '%{http_code}' "https://management.azure.com/subscriptions/$AZURE_SUBSCRIPTION_ID?api-version=2019-11-01"`
  const asRobot = { as: 'robot' }

  test('az login --identity signs in as the one that exec --as names', async () => {
    const script = `export AZURE_CONFIG_DIR=$(mktemp -d)
      az login --identity --output none
      az account show --query '[id, user.name]' --output tsv`
    const [subscription, user] = succeeded(await bash(causeway, internet, script, asRobot)).split(
      '\n',
    )
    assert.equal(subscription, (await causeway.status()).subscriptionId)
    assert.equal(user, 'systemAssignedIdentity')
  })

  test('az login --identity takes it by each of its ids, and by no other', async () => {
    const listed = JSON.parse(succeeded(await causeway.command(['principal', 'list', '--json'])))
    const robot = listed.find(({ name }: { name: string }) => name === 'robot')
    const resource = `/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities`
    const login = (id: string) =>
      bash(
        causeway,
        internet,
        `export AZURE_CONFIG_DIR=$(mktemp -d)
        az login --identity --username "$ID" --output none
        az account get-access-token --query tokenType --output tsv`,
        { ...asRobot, variables: { ID: id } },
      )
    for (const id of [robot.appId, robot.objectId, `${resource}/robot`]) {
      assert.equal(succeeded(await login(id)).trim(), 'Bearer', id)
    }
    assert.match(failed(await login(`${resource}/other`)), /Failed to connect to MSI/)
  })

  test('400: a program that was not told who it is', async () => {
    assert.match(succeeded(await bash(causeway, internet, ask)), /"identity_not_found"/)
  })

  test('401: a token whose program has ended', async () => {
    const use = `token=$(${ask} | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
      ${management} -H "Authorization: Bearer $token" >&2
      printf %s "$token"`
    const { stdout: token, stderr: whileItRan, code } = await bash(causeway, internet, use, asRobot)
    assert.equal(code, 0, whileItRan)
    // The shell may have said something first.
    assert.match(whileItRan, /200$/)
    const later = `${management} -H "Authorization: Bearer ${token}"`
    assert.equal(succeeded(await bash(causeway, internet, later)), '401')
    // Nor does another program of the same principal wake it.
    assert.equal(succeeded(await bash(causeway, internet, later, asRobot)), '401')
  })

  test('a program keeps its identity when the server is killed and comes again', async () => {
    const [file, ...args] = causeway.placeArguments(
      internet,
      ['bash', '-c', `echo runs; read again; ${ask}`],
      asRobot,
    )
    const program = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]()
    assert.equal((await lines.next()).value, 'runs')
    await causeway.end('SIGKILL')
    await causeway.startAgain()
    program.stdin.end('again\n')
    assert.match(String((await lines.next()).value), /"access_token"/)
  })
})

describe('people sign in', { ...needs('root', 'ip', 'az', 'curl'), timeout: 300_000 }, () => {
  let causeway: Causeway
  let person: CreatedPrincipal
  before(async () => {
    causeway = await startCauseway()
    person = await createPrincipal(causeway, 'alice', '--user', '--role', 'Reader')
  })
  after(() => causeway?.remove())

  const asPerson = (script: string) =>
    bash(causeway, internet, `export AZURE_CONFIG_DIR=$(mktemp -d)\n${script}`, {
      variables: { PERSON: person.userName ?? '', PASSWORD: person.secret ?? '' },
    })
  const me = `az account show --query user.name --output tsv
    az ad signed-in-user show --query id --output tsv`

  test('by device code, in a page of the authority', async () => {
    const printed = await asPerson(`
      az login --use-device-code --output none 2>$AZURE_CONFIG_DIR/message &
      login=$!
      until grep -q 'enter the code' $AZURE_CONFIG_DIR/message; do sleep 0.1; done
      read -r page code < <(sed -n 's/.*open the page \\([^ ]*\\) and enter the code \\([A-Z]*\\) .*/\\1 \\2/p' $AZURE_CONFIG_DIR/message)
      mark=$(curl -sS -c $AZURE_CONFIG_DIR/cookies "$page" | sed -n 's/.*name="mark" value="\\([^"]*\\)".*/\\1/p')
      curl -sS -f -o /dev/null -b $AZURE_CONFIG_DIR/cookies "$page" --data-urlencode "mark=$mark" \\
        --data-urlencode "code=$code" --data-urlencode "username=$PERSON" --data-urlencode "password=$PASSWORD"
      wait $login
      ${me}`)
    assert.deepEqual(succeeded(printed).trim().split('\n'), [person.userName, person.objectId])
  })

  test('az finds them, and gives them a role by the name that they sign in with', async () => {
    const asOwner = (script: string) => bash(causeway, internet, script)
    await signIn(causeway)
    const printed = await asOwner(`
      az ad user list --query '[].userPrincipalName' --output tsv
      az ad user list --display-name ali --query '[].id' --output tsv
      az ad user show --id ${person.userName} --query id --output tsv
      az ad user show --id ${person.objectId} --query displayName --output tsv
      az role assignment create --assignee ${person.userName} --role AcrPull --scope "/subscriptions/$AZURE_SUBSCRIPTION_ID" --output none
      az role assignment list --assignee ${person.userName} --query '[].[principalName, principalType, roleDefinitionName]' --output tsv | sort
      az role assignment delete --assignee ${person.userName} --role AcrPull
      az role assignment list --assignee ${person.userName} --query '[].roleDefinitionName' --output tsv`)
    assert.deepEqual(succeeded(printed).trim().split('\n'), [
      ...[person.userName, person.objectId, person.objectId, 'alice'],
      `${person.userName}\tUser\tAcrPull`,
      `${person.userName}\tUser\tReader`,
      'Reader',
    ])
    assert.equal((await az(causeway, ['ad', 'user', 'show', '--id', 'bob@a.example'])).code, 3)
  })

  test('exit code 1: a program is no signed-in user', async () => {
    await signIn(causeway)
    const refused = await az(causeway, ['ad', 'signed-in-user', 'show'])
    assert.match(failed(refused), /delegated authentication flow/)
  })

  test('by name and password', async () => {
    const printed = await asPerson(`az login -u "$PERSON" -p "$PASSWORD" --output none\n${me}`)
    assert.deepEqual(succeeded(printed).trim().split('\n'), [person.userName, person.objectId])
    const refused = await asPerson('az login -u "$PERSON" -p wrong --output none')
    assert.match(failed(refused), /AADSTS50126/)
  })
})

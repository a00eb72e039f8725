import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { SignJWT } from 'jose'
import type { CreatedPrincipal } from '../src/operator/contract.ts'
import { type ArmClient, accepted, createArmClient } from './support/arm-client.ts'
import { AZ_LOGIN } from './support/az.ts'
import { type Causeway, type PlaceOptions, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { createPrincipal } from './support/principals.ts'
import {
  connect,
  importSample,
  makeGroup,
  makeNetwork,
  makeRegistry,
  setPublicAccess,
} from './support/private-registry.ts'
import { failed, run, succeeded } from './support/run.ts'
import { SECRETS } from './support/secrets.ts'

const PROGRAM = join(import.meta.dirname, 'support/sdk-program.ts')
const network = { vnet: 'sdk' }
const REGISTRY = 'sdkhouse'
const ISSUER = { iss: 'https://ci.example', sub: 'job:1', aud: 'api://AzureADTokenExchange' }
const asRobot = { as: 'robot' }
const WITHOUT_SECRET = ['env', '-u', 'AZURE_CLIENT_SECRET']

describe("Azure's SDKs, in a network, against its closed registry", {
  ...needs('places', 'ip', 'openssl'),
  timeout: 300_000,
}, () => {
  let causeway: Causeway
  let arm: ArmClient
  let folder: string
  let robot: CreatedPrincipal

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'causeway-sdk-'))
    causeway = await startCauseway()
    arm = await createArmClient(causeway)
    const group = await makeGroup(arm, 'sdk')
    const registry = await makeRegistry(arm, group, REGISTRY)
    await importSample(arm, registry)
    await connect(arm, await makeNetwork(arm, group, network.vnet), registry)
    await setPublicAccess(arm, registry, 'Disabled')
    robot = await create('robot')
  })
  after(async () => {
    await causeway?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  const create = (name: string, ...flags: readonly string[]) =>
    createPrincipal(causeway, name, '--role', 'Reader', ...flags)
  /** Runs the program with a credential of this kind. */
  const program = (
    words: readonly string[],
    options: PlaceOptions,
    before: readonly string[] = [],
  ) =>
    causeway.inPlace(network, [...before, process.execPath, PROGRAM, ...words], {
      ...options,
      variables: { REGISTRY, ...options.variables },
    })
  /** What somebody sees who may read and pull. */
  const seenBy = (appId: string) => ({
    appId,
    registries: [REGISTRY],
    zones: ['privatelink.azurecr.io'],
    repositories: ['hello-world'],
    mediaType: 'application/vnd.oci.image.index.v1+json',
  })

  for (const [kind, how, words] of [
    ['default', 'of its environment', []],
    ['environment', 'of its environment', []],
    ['default', 'of the metadata service', WITHOUT_SECRET],
    ['managed', 'of the metadata service', WITHOUT_SECRET],
  ] as const) {
    test(`exec --as: the credential '${kind}' is the principal ${how}`, async () => {
      const printed = await program([kind], asRobot, words)
      assert.deepEqual(JSON.parse(succeeded(printed)), seenBy(robot.appId))
    })
  }

  for (const [kind, id] of [
    ['client', () => robot.appId],
    ['object', () => robot.objectId],
    [
      'resource',
      () =>
        `${arm.subscription}/resourceGroups/sdk/providers/Microsoft.ManagedIdentity/userAssignedIdentities/robot`,
    ],
  ] as const) {
    test(`exec --as: a managed identity is the principal by its ${kind} id`, async () => {
      const printed = await program([`managed by ${kind} id`, id()], asRobot)
      assert.deepEqual(JSON.parse(succeeded(printed)), seenBy(robot.appId))
    })
  }

  test('a program without --as has no managed identity, and is told so without waiting', async () => {
    const startedAt = performance.now()
    const output = failed(await program(['managed'], {}))
    assert.match(output, /Identity not found/)
    // An answer that SDKs take for a passing weakness is asked for again for at least 25 s.
    assert.ok(performance.now() - startedAt < 20_000)
  })

  test('a certificate signs in', async () => {
    const pem = await makeCertificate('holder')
    const { appId, tenantId } = await create('holder', '--certificate', pem)
    const variables = { TENANT: tenantId, CLIENT: appId }
    const printed = await program(['certificate', pem], { variables })
    assert.deepEqual(JSON.parse(succeeded(printed)), seenBy(appId))
  })

  test('a token of an issuer that is registered signs in, by assertion and as workload identity', async () => {
    const file = join(folder, 'token')
    const { appId, variables } = await federate('job', file)
    for (const kind of ['assertion', 'workload']) {
      const printed = await program([kind, file], { variables })
      assert.deepEqual(JSON.parse(succeeded(printed)), seenBy(appId), kind)
    }
    // As in Kubernetes, where the environment says it all: it comes before the metadata service.
    const environment = [
      ...WITHOUT_SECRET,
      `AZURE_CLIENT_ID=${appId}`,
      `AZURE_FEDERATED_TOKEN_FILE=${file}`,
    ]
    const printed = await program(['default'], asRobot, environment)
    assert.deepEqual(JSON.parse(succeeded(printed)), seenBy(appId))
  })

  describe('beside az', needs('az'), () => {
    test('the credential of the CLI is whom az has signed in', async () => {
      const script = `${AZ_LOGIN}\n"$0" "$1" cli`
      const printed = await causeway.inPlace(
        network,
        ['bash', '-euo', 'pipefail', '-c', script, process.execPath, PROGRAM],
        { ...asRobot, variables: { REGISTRY } },
      )
      assert.deepEqual(JSON.parse(succeeded(printed)), seenBy(robot.appId))
    })

    test("Python's default and managed credentials are the principal too", async () => {
      const script = `
import base64, json, os, sys
from azure.identity import DefaultAzureCredential, EnvironmentCredential, ManagedIdentityCredential

def show(credential):
    token = credential.get_token('https://management.azure.com/.default').token.split('.')[1]
    print(json.loads(base64.urlsafe_b64decode(token + '=='))['appid'])

show(DefaultAzureCredential())
show(EnvironmentCredential())
show(ManagedIdentityCredential())
show(ManagedIdentityCredential(client_id=os.environ['AZURE_CLIENT_ID']))
del os.environ['AZURE_CLIENT_SECRET']
show(DefaultAzureCredential())
`
      const command = ['/usr/bin/python3', '-c', script]
      const printed = succeeded(await causeway.inPlace(network, command, asRobot))
      assert.deepEqual(printed.trim().split('\n'), Array(5).fill(robot.appId))
    })
  })

  test('the log of all this holds no secret and no token', async () => {
    const log = succeeded(await causeway.command(['logs']))
    assert.match(log, /managed identity token issued/)
    assert.doesNotMatch(log, SECRETS)
  })

  async function makeCertificate(name: string) {
    const pem = join(folder, `${name}.pem`)
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2']
    // One file for both, as clients take it.
    succeeded(await run('openssl', [...made, '-subj', `/CN=${name}`, '-keyout', pem, '-out', pem]))
    return pem
  }

  /** An application that the tokens of an issuer stand for, and one such token in a file. */
  async function federate(name: string, file: string) {
    const key = createPrivateKey(await readFile(await makeCertificate('issuer')))
    const { appId, tenantId } = await create(name)
    const jwk = createPublicKey(key).export({ format: 'jwk' })
    const applications = `/v1.0/applications?$filter=appId eq '${appId}'`
    const [application] = accepted(await arm.get(encodeURI(applications))).value ?? []
    accepted(
      await arm.post(`/v1.0/applications/${application?.id}/federatedIdentityCredentials`, {
        name: 'ci',
        issuer: ISSUER.iss,
        subject: ISSUER.sub,
        audiences: [ISSUER.aud],
        jwks: { keys: [jwk] },
      }),
    )
    const token = new SignJWT(ISSUER).setProtectedHeader({ alg: 'RS256' }).setExpirationTime('10m')
    await writeFile(file, await token.sign(key))
    return { appId, variables: { TENANT: tenantId, CLIENT: appId } }
  }
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createArmClient } from './support/arm-client.ts'
import { az, signIn } from './support/az.ts'
import type { SeenOfCache } from './support/cache-sdk-program.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { type OtherRegistry, startOtherRegistry } from './support/other-registry.ts'
import { adminOf, makeGroup, makeRegistry, type Registry } from './support/private-registry.ts'
import { failed, succeeded } from './support/run.ts'

const HOST = 'cachehouse.azurecr.io'
const PROGRAM = join(import.meta.dirname, 'support/cache-sdk-program.ts')
const SECRET = 'https://vault.vault.azure.net/secrets'
const VERSION = ['--api-version', '2023-07-01']

describe('cache rules', {
  ...needs('places', 'ip', 'az', 'curl', 'skopeo', 'docker-registry'),
  timeout: 600_000,
}, () => {
  let folder: string
  let causeway: Causeway
  let other: OtherRegistry
  let registry: Registry
  let signedInAs: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'causeway-cache-'))
    other = await startOtherRegistry()
    const { username, password } = other.credentials
    const secretsFile = join(folder, 'secrets.json')
    const secrets = { [`${SECRET}/username`]: username, [`${SECRET}/password`]: password }
    await writeFile(secretsFile, JSON.stringify(secrets), { mode: 0o600 })
    // Which outlives the source.
    const authoritiesFile = join(folder, 'authority.pem')
    await copyFile(other.authorityFile, authoritiesFile)
    causeway = await startCauseway({
      configuration: [
        `egress:\n  allow: [127.0.0.1/32]\n  authoritiesFile: ${authoritiesFile}`,
        `keyVault:\n  secretsFile: ${secretsFile}`,
        'cache:\n  recheckSeconds: 0\n',
      ].join('\n'),
    })
    const arm = await createArmClient(causeway)
    registry = await makeRegistry(arm, await makeGroup(arm, 'caching'), 'cachehouse', 'Basic')
    const admin = await adminOf(arm, registry)
    signedInAs = `${admin.username}:${admin.password}`
    await signIn(causeway)
    const login = ['login', '--username', admin.username, '--password-stdin', HOST]
    succeeded(await causeway.inPlace(internet, ['skopeo', ...login], { input: admin.password }))
  })
  after(async () => {
    await causeway?.remove()
    await other?.close()
    await rm(folder, { recursive: true, force: true })
  })

  let copies = 0
  const pull = (image: string) =>
    causeway.inPlace(internet, [
      ...['skopeo', 'copy', '--retry-times', '0', `docker://${HOST}/${image}`],
      `dir:${folder}/copy-${copies++}`,
    ])
  const create = (kind: string, name: string, body: unknown) =>
    az(causeway, [
      ...['resource', 'create', '--id', `${registry.id}/${kind}/${name}`, ...VERSION],
      ...['--is-full-object', '--properties', JSON.stringify(body)],
    ])
  const askedFor = (part: string) => other.asked.filter((path) => path.includes(part)).length

  test('az makes a credential set and a rule with it, and shows them', async () => {
    const set = JSON.parse(
      succeeded(
        await create('credentialSets', 'source-set', {
          location: 'westeurope',
          identity: { type: 'SystemAssigned' },
          properties: {
            loginServer: other.host,
            authCredentials: [
              {
                name: 'Credential1',
                usernameSecretIdentifier: `${SECRET}/username`,
                passwordSecretIdentifier: `${SECRET}/password`,
              },
            ],
          },
        }),
      ),
    )
    assert.equal(set.identity.type, 'systemAssigned')
    assert.deepEqual(set.properties.authCredentials[0].credentialHealth, { status: 'Healthy' })
    const rule = JSON.parse(
      succeeded(
        await create('cacheRules', 'source-rule', {
          location: 'westeurope',
          properties: {
            sourceRepository: `${other.host}/team/*`,
            targetRepository: 'hub/*',
            credentialSetResourceId: set.id,
          },
        }),
      ),
    )
    assert.equal(rule.properties.provisioningState, 'Succeeded')
    const shown = await az(causeway, ['resource', 'show', '--ids', rule.id, ...VERSION])
    assert.deepEqual(JSON.parse(succeeded(shown)).properties, rule.properties)
  })

  test('an image is pulled through, and is listed', async () => {
    const { layer } = await other.push('team/app', 'v1', randomBytes(3 << 20))
    succeeded(await pull('hub/app:v1'))
    assert.equal(askedFor(layer), 1)
    const listed = ['acr', 'repository', 'show-tags', '--name', 'cachehouse', '--output', 'tsv']
    const tags = await az(causeway, [...listed, '--repository', 'hub/app'])
    assert.equal(succeeded(tags).trim(), 'v1')
  })

  test('a tag that moves is followed', async () => {
    const { layer } = await other.push('team/app', 'v1', randomBytes(1 << 20))
    succeeded(await pull('hub/app:v1'))
    assert.equal(askedFor(layer), 1)
  })

  test('what is nowhere is said to be nowhere', async () => {
    assert.match(failed(await pull('hub/app:v9')), /manifest unknown/)
    assert.match(failed(await pull('elsewhere/app:v1')), /name unknown|repository name not known/)
  })

  test('eight pulls at once fetch each blob once', async () => {
    const { layer } = await other.push('team/many', 'v1', randomBytes(8 << 20))
    const before = askedFor('/team/many/blobs/')
    const pulls = await Promise.all(Array.from({ length: 8 }, () => pull('hub/many:v1')))
    for (const each of pulls) succeeded(each)
    assert.equal(askedFor(layer), 1)
    assert.equal(askedFor('/team/many/blobs/') - before, 2)
  })

  // The last one is left alone for a while after that.
  for (const status of [503, 403, 429] as const) {
    test(`while the source answers ${status}, what is here is pulled and what is not is refused`, async () => {
      other.answer(status)
      try {
        succeeded(await pull('hub/many:v1'))
        // skopeo would try a 429 again for minutes.
        const url = `https://${HOST}/v2/hub/never/manifests/v1`
        const answer = ['-w', '%{http_code}', '-o', '/dev/null', '-u', signedInAs, url]
        const got = await causeway.inPlace(internet, ['curl', '-sS', ...answer])
        assert.equal(succeeded(got), String(status))
      } finally {
        other.answer('as it is')
      }
    })
  }

  test("Azure's SDK makes, lists, changes and removes them", async () => {
    const variables = { REGISTRY: 'cachehouse', SOURCE: other.host }
    const command = [process.execPath, PROGRAM]
    const printed = succeeded(await causeway.inPlace(internet, command, { variables }))
    assert.deepEqual(JSON.parse(printed) satisfies SeenOfCache, {
      health: 'Healthy',
      identity: 'systemAssigned',
      created: 'Succeeded',
      listed: ['sdk-rule', 'source-rule'],
      withCredentials: true,
      left: ['source-set'],
    })
  })

  test('once the source is gone for good, a pull works, and so it does after a restart', async () => {
    await other.close()
    succeeded(await pull('hub/many:v1'))
    await causeway.end('SIGTERM')
    await causeway.startAgain()
    succeeded(await pull('hub/many:v1'))
    succeeded(await pull('hub/app:v1'))
  })

  test('the log has no password', async () => {
    const log = succeeded(await causeway.command(['logs']))
    assert.match(log, /cache rule source-rule/)
    assert.ok(!log.includes(other.credentials.password))
  })
})

import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { issueAuthority, issueLeaf } from '../../src/front/issue-certificate.ts'
import type { CreatedPrincipal } from '../../src/operator/contract.ts'
import { type ArmClient, accepted, createArmClient } from '../support/arm-client.ts'
import { azVariables } from '../support/az.ts'
import { type Causeway, startCauseway } from '../support/causeway.ts'
import { needs } from '../support/needs.ts'
import {
  adminOf,
  importSample,
  makeGroup,
  makeRegistry,
  type Registry,
  setPublicAccess,
} from '../support/private-registry.ts'
import { failed, run, succeeded } from '../support/run.ts'
import { projectFolder } from '../support/shared-data.ts'
import { connectNeighbour, type Neighbour } from './neighbour.ts'

const HOST = 'myshop.registry.example.com'
const CONTROL = 'https://causeway.example.com'

// Run in a network namespace of its own. The tests build on each other: the last ones close the registry.
describe('a registry on a network', { timeout: 200_000 }, () => {
  let folder: string
  let neighbour: Neighbour
  let causeway: Causeway
  let arm: ArmClient
  let registry: Registry
  let admin: { readonly username: string; readonly password: string }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'causeway-lan-'))
    neighbour = await connectNeighbour({ own: '192.0.2.10', neighbour: '192.0.2.20', folder })
    await writeCertificates(folder)
    causeway = await startCauseway({ configuration: await configurationOfTheGuide(folder) })
    arm = await createArmClient(causeway)
    registry = await makeRegistry(arm, await makeGroup(arm, 'lan'), 'myshop')
    await importSample(arm, registry)
    admin = await adminOf(arm, registry)
    accepted(await arm.patch(registry.id, { properties: { dataEndpointEnabled: true } }))
  })
  after(async () => {
    await causeway?.remove()
    await neighbour?.close()
    await rm(folder, { recursive: true, force: true })
  })

  const curl = (...args: readonly string[]) => {
    const trust = ['--noproxy', '*', '--cacert', join(folder, 'certificates/ca.crt')]
    return neighbour.run(['curl', '-sS', ...trust, ...args])
  }
  const skopeo = (command: string, ...args: readonly string[]) =>
    neighbour.run(['skopeo', command, ...args], {
      environment: { ...process.env, REGISTRY_AUTH_FILE: join(folder, 'auth.json') },
    })
  const trust = (option: string) => [option, join(folder, 'certificates')]

  test('listens where the configuration says, and nowhere else beyond loopback', async () => {
    const listed = succeeded(await run('ss', ['-Hltun']))
    const sockets = listed.split('\n').flatMap((line) => {
      const [protocol, , , , local = ''] = line.trim().split(/\s+/)
      return local === '' || local.startsWith('127.0.0.1:') ? [] : [`${protocol} ${local}`]
    })
    assert.deepEqual(sockets.sort(), [
      'tcp 192.0.2.10:443',
      'tcp 192.0.2.10:53',
      'tcp 192.0.2.10:8080',
      'udp 192.0.2.10:53',
    ])
  })

  test("a neighbour finds it by name, under the operator's certificate", async () => {
    assert.equal(succeeded(await neighbour.run(['dig', '+short', HOST])), '192.0.2.10\n')
    const challenge = succeeded(await curl('-D', '-', `https://${HOST}/v2/`))
    assert.match(challenge, new RegExp(`realm="https://${HOST}/oauth2/token"`))
    const nobody = failed(await curl('https://nobody.registry.example.com/v2/'))
    assert.match(nobody, /Could not resolve/)
  })

  test('a neighbour signs in, copies out and in again', async () => {
    const { username, password } = admin
    const credentials = ['--username', username, '--password', password]
    succeeded(await skopeo('login', ...trust('--cert-dir'), ...credentials, HOST))
    const [image, copy] = [`docker://${HOST}/hello-world:v1`, `docker://${HOST}/copies/hello:v1`]
    const archive = `dir:${join(folder, 'image')}`
    succeeded(await skopeo('copy', '--all', ...trust('--src-cert-dir'), image, archive))
    succeeded(await skopeo('copy', '--all', ...trust('--dest-cert-dir'), archive, copy))
    const raw = (name: string) => skopeo('inspect', '--raw', ...trust('--cert-dir'), name)
    assert.equal(succeeded(await raw(copy)), succeeded(await raw(image)))
  })

  test('the control plane and its authority go by the name of the operator', async () => {
    const created = await causeway.command([
      'principal',
      'create',
      'lan',
      '--role',
      'Reader',
      '--json',
    ])
    const { appId, secret = '' } = JSON.parse(succeeded(created)) as CreatedPrincipal
    const metadata = await curl(`${CONTROL}/metadata/endpoints?api-version=2015-01-01`)
    const { authentication } = JSON.parse(succeeded(metadata)) as {
      authentication: { loginEndpoint: string; audiences: readonly [string] }
    }
    assert.deepEqual(authentication, {
      loginEndpoint: `${CONTROL}/adfs`,
      audiences: [`${CONTROL}/`],
    })
    const form = { grant_type: 'client_credentials', client_id: appId, client_secret: secret }
    const fields = Object.entries({ ...form, scope: `${authentication.audiences[0]}/.default` })
    const answer = await curl(
      ...fields.flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`]),
      `${authentication.loginEndpoint}/oauth2/token`,
    )
    const { access_token: token } = JSON.parse(succeeded(answer)) as { access_token: string }
    const bearer = ['-H', `Authorization: Bearer ${token}`]
    const found = await curl(...bearer, `${CONTROL}${registry.id}?api-version=2023-07-01`)
    assert.equal((JSON.parse(succeeded(found)) as { name: string }).name, 'myshop')
    assert.match(succeeded(await curl(`${CONTROL}/v2/`)), /not served by this name/)
  })

  test('az registers the cloud, signs in and gets a token of the registry, as the guide says', {
    ...needs('az'),
  }, async () => {
    const created = await causeway.command([
      ...['principal', 'create', 'az', '--role', 'AcrPull', '--scope', registry.id, '--json'],
    ])
    const { appId, secret, tenantId } = JSON.parse(succeeded(created)) as CreatedPrincipal
    const [commands = ''] = /^az cloud register(.*?)(?=```)/ms.exec(await readGuide()) ?? []
    const finished = await neighbour.run(
      ['bash', '-euc', `${commands}az acr login -n myshop --expose-token --output json`],
      {
        environment: {
          ...process.env,
          ...azVariables,
          AZURE_CONFIG_DIR: join(folder, 'az'),
          REQUESTS_CA_BUNDLE: join(folder, 'certificates/ca.crt'),
          AZURE_CLIENT_ID: appId,
          AZURE_CLIENT_SECRET: secret,
          AZURE_TENANT_ID: tenantId,
        },
      },
    )
    assert.match(succeeded(finished), /"loginServer": "myshop\.registry\.example\.com"/)
  })

  test('probes from elsewhere learn that it is ready', async () => {
    const probe = succeeded(await curl('-w', ' %{http_code}', 'http://192.0.2.10:8080/readyz'))
    assert.equal(probe, '{"status":"ready"} 200')
  })

  test('403: rules for addresses see that of the neighbour', async () => {
    const statusUnder = async (value: string) => {
      const networkRuleSet = { defaultAction: 'Deny', ipRules: [{ action: 'Allow', value }] }
      accepted(await arm.patch(registry.id, { properties: { networkRuleSet } }))
      return succeeded(await curl('-w', ' %{http_code}', `https://${HOST}/v2/`))
    }
    assert.match(await statusUnder('192.0.2.0/24'), / 401$/)
    assert.match(
      await statusUnder('192.0.2.21'),
      /client with IP '192\.0\.2\.20' is not allowed access\..* 403$/,
    )
  })

  test('403: closed to the public is closed to the network', async () => {
    await setPublicAccess(arm, registry, 'Disabled')
    assert.match(succeeded(await curl(`https://${HOST}/v2/`)), /client with IP '192\.0\.2\.20'/)
  })
})

const readGuide = (): Promise<string> =>
  readFile(join(projectFolder, 'docs/guides/own-registry.md'), 'utf8')

/** The first file of the guide, with the certificate where the test has it, and a socket for probes. */
async function configurationOfTheGuide(folder: string): Promise<string> {
  const [, text = ''] = /```yaml\n(.*?)```/s.exec(await readGuide()) ?? []
  return `${text.replaceAll('/etc/causeway/tls', folder)}health:\n  listeners: [{ address: 192.0.2.10, port: 8080 }]\n`
}

/** A certificate as the guide asks for it, by an authority of the operator's. */
async function writeCertificates(folder: string): Promise<void> {
  const domains = ['example.com']
  const authority = await issueAuthority('Operator', {
    domains,
    excludedDomains: [],
    addresses: [],
  })
  const leaf = await issueLeaf(authority, {
    domains: [
      '*.registry.example.com',
      '*.westeurope.data.registry.example.com',
      'causeway.example.com',
    ],
    addresses: [],
  })
  await writeFile(join(folder, 'fullchain.pem'), leaf.certificate)
  await writeFile(join(folder, 'privkey.pem'), leaf.key, { mode: 0o600 })
  await mkdir(join(folder, 'certificates'))
  await writeFile(join(folder, 'certificates/ca.crt'), authority.certificate)
}

import assert from 'node:assert/strict'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type ArmClient, accepted, createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { hostsFile, withFile } from './support/host-names.ts'
import { needs } from './support/needs.ts'
import {
  adminOf,
  importSample,
  makeGroup,
  makeRegistry,
  type Registry,
  setPublicAccess,
} from './support/private-registry.ts'
import { failed, run, succeeded } from './support/run.ts'

// The tests build on each other: the last ones close the registry that the first ones use.
describe('a registry on the host itself, by loopback', {
  ...needs('places', 'curl', 'skopeo'),
  timeout: 180_000,
}, () => {
  let causeway: Causeway
  let arm: ArmClient
  let registry: Registry
  let folder: string
  let hosts: string
  let port: number
  let ca: string
  let admin: { readonly username: string; readonly password: string }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'causeway-host-'))
    causeway = await startCauseway({ configuration: 'registryDomain: registry.example.com\n' })
    arm = await createArmClient(causeway)
    registry = await makeRegistry(arm, await makeGroup(arm, 'host'), 'hosthouse')
    await importSample(arm, registry)
    admin = await adminOf(arm, registry)
    // Layers are then sent from the data endpoint, as with a private endpoint.
    accepted(await arm.patch(registry.id, { properties: { dataEndpointEnabled: true } }))
    const { port: taken, authorities } = await causeway.status()
    port = taken
    ca = authorities.host
    hosts = await hostsFile(
      folder,
      ['registry.example.com', 'localhost'].flatMap((domain) => [
        `hosthouse.${domain}`,
        `hosthouse.westeurope.data.${domain}`,
      ]),
    )
    await mkdir(join(folder, 'certificates'))
    await copyFile(ca, join(folder, 'certificates', 'ca.crt'))
  })
  after(async () => {
    await causeway?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  /** `command` takes its own folder of certificates; the words after it are those of the registry. */
  const skopeo = ([command = '', ...args]: readonly string[]) => {
    const trust = join(folder, 'certificates')
    const flags = {
      copy: ['--all', '--src-cert-dir', trust, '--dest-cert-dir', trust],
      inspect: ['--raw', '--cert-dir', trust],
      login: ['--cert-dir', trust, '--username', admin.username, '--password', admin.password],
    }[command]
    const [file, ...rest] = withFile(hosts, '/etc/hosts', [
      'skopeo',
      command,
      ...(flags ?? []),
      ...args,
    ])
    const environment = { ...process.env, REGISTRY_AUTH_FILE: join(folder, 'auth.json') }
    return run(file, rest, { environment })
  }

  const curl = (...args: readonly string[]) =>
    run('curl', ['-sS', '--noproxy', '*', '--cacert', ca, ...args])

  for (const domain of ['registry.example.com', 'localhost']) {
    test(`skopeo signs in, copies out and in again under ${domain}`, async () => {
      const host = `hosthouse.${domain}:${port}`
      succeeded(await skopeo(['login', host]))
      const image = `docker://${host}/hello-world:v1`
      const copy = `docker://${host}/copies/${domain.split('.')[0]}:v1`
      const archive = `dir:${join(folder, domain)}`
      succeeded(await skopeo(['copy', image, archive]))
      succeeded(await skopeo(['copy', archive, copy]))
      assert.equal(
        succeeded(await skopeo(['inspect', copy])),
        succeeded(await skopeo(['inspect', image])),
      )
    })

    test(`realm and redirect lead back to ${domain} and the port`, async () => {
      const base = `https://hosthouse.${domain}:${port}`
      const resolved = ['hosthouse', 'hosthouse.westeurope.data'].flatMap((name) => [
        '--resolve',
        `${name}.${domain}:${port}:127.0.0.1`,
      ])
      const challenge = succeeded(await curl(...resolved, '-D', '-', `${base}/v2/`))
      assert.match(challenge, new RegExp(`realm="${base}/oauth2/token"`))
      const credentials = ['--user', `${admin.username}:${admin.password}`]
      const manifest = succeeded(
        await curl(...resolved, ...credentials, `${base}/v2/hello-world/manifests/v1`),
      )
      const [{ digest }] = (JSON.parse(manifest) as { manifests: [{ digest: string }] }).manifests
      const { config } = JSON.parse(
        succeeded(
          await curl(...resolved, ...credentials, `${base}/v2/hello-world/manifests/${digest}`),
        ),
      ) as { config: { digest: string } }
      const blob = `${base}/v2/hello-world/blobs/${config.digest}`
      const head = succeeded(await curl(...resolved, ...credentials, '-D', '-', blob))
      const data = `https://hosthouse.westeurope.data.${domain}:${port}/v2/`
      assert.match(head, new RegExp(`^HTTP/1.1 307(.|\r\n)*location: ${data}`, 'im'))
      const followed = await curl(...resolved, ...credentials, '--location', blob)
      assert.equal((JSON.parse(succeeded(followed)) as { os: string }).os, 'linux')
    })
  }

  test('curl gets there under the name without a resolver', async () => {
    const away = ['--connect-to', `::127.0.0.1:${port}`]
    assert.match(
      succeeded(await curl(...away, '-D', '-', 'https://hosthouse.registry.example.com/v2/')),
      /realm="https:\/\/hosthouse\.registry\.example\.com\/oauth2\/token"/,
    )
    failed(await curl(...away, 'https://nobody.registry.example.com/v2/'))
  })

  test('403: rules for addresses see the address of loopback', async () => {
    const ruleFor = async (value: string) => {
      const networkRuleSet = { defaultAction: 'Deny', ipRules: [{ action: 'Allow', value }] }
      accepted(await arm.patch(registry.id, { properties: { networkRuleSet } }))
    }
    const base = `https://hosthouse.localhost:${port}/v2/`
    const local = ['--resolve', `hosthouse.localhost:${port}:127.0.0.1`]
    const statusOf = async () =>
      succeeded(await curl(...local, '-o', '/dev/null', '-w', '%{http_code}', base))
    await ruleFor('192.0.2.0/24')
    assert.match(
      succeeded(await curl(...local, base)),
      /client with IP '127\.0\.0\.1' is not allowed/,
    )
    assert.equal(await statusOf(), '403')
    await ruleFor('127.0.0.1')
    assert.equal(await statusOf(), '401')
  })

  test('403: a registry that is closed to the public is closed on loopback', async () => {
    await setPublicAccess(arm, registry, 'Disabled')
    const refusal = failed(
      await skopeo(['inspect', `docker://hosthouse.localhost:${port}/hello-world:v1`]),
    )
    assert.match(refusal, /403 \(Forbidden\)/)
  })

  test('another domain than that of the data folder is refused, and what to do', async () => {
    assert.equal((await causeway.status()).registryDomain, 'registry.example.com')
    await causeway.end('SIGINT')
    const file = join(folder, 'other.yaml')
    await writeFile(file, 'registryDomain: other.example.com\n')
    const refusal = failed(
      await causeway.command(['up', '--empty', '--port', '0', '--config', file]),
    )
    assert.match(
      refusal,
      /made for the registry domain registry\.example\.com.*set registryDomain to that/,
    )
    await causeway.startAgain()
  })
})

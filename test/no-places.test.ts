import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ServerStatus } from '../src/operator/contract.ts'
import { accepted, createArmClient } from './support/arm-client.ts'
import { commandOf, type User } from './support/causeway.ts'
import { hostsFile, withFile } from './support/host-names.ts'
import { fetchOverTls } from './support/https-client.ts'
import { needs } from './support/needs.ts'
import { adminOf } from './support/private-registry.ts'
import { failed, run, succeeded } from './support/run.ts'

const CAROL: User = { uid: 64_013, gid: 64_013 }

// The kernel refuses user namespaces to whoever has changed the root folder.
const WITHOUT_USER_NAMESPACES = `
  mkdir "$1/machine"
  mount --rbind / "$1/machine"
  root=$1/machine
  shift
  exec chroot "$root" "$@"
`

test('1: where places are not to be had, all but places serves, and cause and cure are named', {
  ...needs('root', 'ip', 'dig', 'skopeo'),
  timeout: 120_000,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-test-'))
  const machine = await mkdtemp(join(tmpdir(), 'causeway-machine-'))
  t.after(async () => {
    await rm(folder, { recursive: true, force: true })
    await rm(machine, { recursive: true, force: true })
  })
  await chown(folder, CAROL.uid, CAROL.gid)
  const [file, ...asCarol] = commandOf(CAROL)
  const environment = { ...process.env, CAUSEWAY_DATA: folder }
  const causeway = (...args: readonly string[]) => run(file, [...asCarol, ...args], { environment })

  const up = [file, ...asCarol, 'up', '--port', '0']
  const server = spawn(
    'unshare',
    ['--mount', 'sh', '-ec', WITHOUT_USER_NAMESPACES, 'sh', machine, ...up],
    { stdio: ['ignore', 'pipe', 'pipe'], env: environment },
  )
  t.after(() => server.kill('SIGKILL'))
  const ended = once(server, 'exit')
  let printed = ''
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed += text
  })
  for await (const text of server.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    printed += text
    if (printed.includes('serves without places')) break
  }
  server.stdout.resume()
  assert.match(printed, /^Nothing can be proven without places\.$/m)
  assert.match(printed, /^No places: .*user namespaces?.*not permitted/m)

  const finished = await causeway('status', '--json')
  assert.equal(finished.code, 1)
  const status = JSON.parse(finished.stdout) as ServerStatus
  assert.equal(status.state, 'degraded')
  assert.match(status.placesUnavailable?.cause ?? '', /user namespaces? .*not permitted/)
  assert.match(status.placesUnavailable?.cure ?? '', /./)

  const ca = await readFile(status.authorities.host, 'utf8')
  const metadata = await fetchOverTls(status.urls.metadata, { ca })
  assert.equal(metadata.status, 200)

  const probes = await fetchOverTls(new URL('/readyz', status.urls.control).href, { ca })
  assert.equal(probes.status, 503)
  assert.deepEqual(JSON.parse(probes.text).reasons, ['there are no places on this machine'])

  const [address = '', port = ''] = status.host.names[0]?.split(':') ?? []
  const name = 'myregistry.azurecr.io'
  const dig = await run('dig', [`@${address}`, '-p', port, '+short', name])
  assert.equal(succeeded(dig), '127.0.0.1\n')
  const told = succeeded(await causeway('resolve', name, '--vnet', 'myDockerVMVNET'))
  assert.match(told, /10\.0\.0\.7(.|\n)*in the zone privatelink\.azurecr\.io/)

  const arm = await createArmClient({
    status: async () => status,
    command: (args) => causeway(...args),
  })
  const group = `${arm.subscription}/resourceGroups/myResourceGroup`
  const id = `${group}/providers/Microsoft.ContainerRegistry/registries/myregistry`
  const registry = { id, name: 'myregistry', loginServer: name }
  // The set-up of the article closes it.
  const open = { publicNetworkAccess: 'Enabled', networkRuleSet: { defaultAction: 'Allow' } }
  accepted(await arm.patch(id, { properties: open }))
  const { username, password } = await adminOf(arm, registry)
  const trust = join(machine, 'certificates')
  await mkdir(trust)
  await writeFile(join(trust, 'ca.crt'), ca)
  const hosts = await hostsFile(machine, [
    'myregistry.localhost',
    'myregistry.westeurope.data.localhost',
  ])
  const skopeo = async (...args: readonly string[]) => {
    const [program, ...rest] = withFile(hosts, '/etc/hosts', ['skopeo', 'copy', '--all', ...args])
    succeeded(await run(program, rest))
  }
  const login = `${username}:${password}`
  const image = `docker://myregistry.localhost:${status.port}`
  const archive = `dir:${join(machine, 'image')}`
  const [from, to] = [
    ['--src-cert-dir', trust, '--src-creds', login],
    ['--dest-cert-dir', trust],
  ]
  await skopeo(...from, `${image}/hello-world:v1`, archive)
  await skopeo(...to, '--dest-creds', login, archive, `${image}/copies/hello:v1`)
  await skopeo(...from, `${image}/copies/hello:v1`, `dir:${join(machine, 'again')}`)

  const refused = await causeway('exec', '--internet', '--', 'true')
  assert.equal(refused.code, 1)
  assert.match(failed(refused), /user namespace/)

  const unsafe = await causeway('az', 'acr', 'login', '--name', 'any')
  assert.equal(unsafe.code, 1)
  assert.match(unsafe.stderr, /'az acr login' may reach a registry.*There are no places:.* user/s)

  server.kill('SIGINT')
  assert.deepEqual(await ended, [1, null])
  succeeded(await causeway('down', '--purge'))
})

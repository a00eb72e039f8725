import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type ArmClient, createArmClient } from './support/arm-client.ts'
import { az, signIn } from './support/az.ts'
import {
  type Causeway,
  commandOf,
  internet,
  startCauseway,
  type Where,
} from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { createPrincipal } from './support/principals.ts'
import {
  adminOf,
  connect,
  type Endpoint,
  importSample,
  makeGroup,
  makeNetwork,
  makeRegistry,
  type Registry,
  setPublicAccess,
} from './support/private-registry.ts'
import { failed, succeeded } from './support/run.ts'

const inside: Where = { vnet: 'audited' }
const HOST = 'audithouse.azurecr.io'
const WAIT_SECONDS = 10

type Columns = Readonly<Record<string, string | number | undefined>>

// The tests build on each other: what one pushes, the next pulls.
describe('the audit trail', {
  ...needs('places', 'ip', 'skopeo', 'az'),
  timeout: 300_000,
}, () => {
  let causeway: Causeway
  let arm: ArmClient
  let registry: Registry
  let endpoint: Endpoint
  let folder: string
  let place: string
  let admin: { readonly username: string; readonly password: string }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'causeway-audit-'))
    causeway = await startCauseway()
    arm = await createArmClient(causeway)
    const group = await makeGroup(arm, 'audited')
    registry = await makeRegistry(arm, group, 'audithouse')
    await importSample(arm, registry)
    admin = await adminOf(arm, registry)
    endpoint = await connect(arm, await makeNetwork(arm, group, inside.vnet), registry)
    await setPublicAccess(arm, registry, 'Disabled')
    const { places } = await causeway.status()
    place = places.find(({ name }) => name === inside.vnet)?.place ?? ''
  })
  after(async () => {
    await causeway?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  const skopeo = (where: Where, args: readonly string[], input?: string) =>
    causeway.inPlace(where, ['skopeo', ...args], { ...(input !== undefined && { input }) })
  const login = (where: Where, password: string) =>
    skopeo(where, ['login', '--username', admin.username, '--password-stdin', HOST], password)

  const read = async (...flags: readonly string[]): Promise<readonly Columns[]> => {
    const output = succeeded(await causeway.command(['audit', '--json', ...flags]))
    return output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  }
  /** The last event that is so, as soon as it is there. */
  async function find(wanted: Columns, ...flags: readonly string[]): Promise<Columns> {
    const names = Object.keys(wanted)
    for (const deadline = Date.now() + WAIT_SECONDS * 1000; ; ) {
      const events = await read(...flags)
      const found = events.findLast((event) => names.every((name) => event[name] === wanted[name]))
      if (found) return found
      if (Date.now() > deadline) {
        assert.fail(`no ${JSON.stringify(wanted)} in ${JSON.stringify(events, null, 1)}`)
      }
    }
  }
  const byEndpoint = () => ({ Place: place, PrivateEndpoint: endpoint.id, LoginServer: HOST })

  test('an import is there with who asked for it', async () => {
    const event = await find({ OperationName: 'Import', Repository: 'hello-world' })
    assert.deepEqual(
      [event.Tag, event.IdentityName, event._ResourceId],
      ['v1', 'test-owner', registry.id],
    )
  })

  test('a login by skopeo, and one in vain, with place and endpoint', async () => {
    succeeded(await login(inside, admin.password))
    const event = await find({ OperationName: 'Login', ResultDescription: '200' })
    assert.equal(event.Type, 'ContainerRegistryLoginEvents')
    for (const [name, value] of Object.entries(byEndpoint())) assert.equal(event[name], value, name)
    assert.match(String(event.CallerIpAddress), /^10\.0\.0\.\d+$/)
    assert.deepEqual([event.Identity, event.IdentityType], ['audithouse', 'Admin'])
    failed(await login(inside, 'wrong'))
    const refused = await find({ OperationName: 'Login', ResultDescription: '401' })
    assert.deepEqual([refused.Identity, refused.ErrorCode], ['audithouse', 'UNAUTHORIZED'])
  })

  test('one from outside that the registry refuses', async () => {
    failed(await login(internet, admin.password))
    const event = await find({ OperationName: 'Login', ResultDescription: '403' })
    assert.deepEqual([event.Place, event.PrivateEndpoint], ['internet', undefined])
    assert.match(String(event.CallerIpAddress), /^\d+\.\d+\.\d+\.\d+$/)
  })

  test('a pull and a push by skopeo', async () => {
    succeeded(await login(inside, admin.password))
    const directory = `dir:${folder}/image`
    succeeded(await skopeo(inside, ['copy', `docker://${HOST}/hello-world:v1`, directory]))
    const pulled = await find({ OperationName: 'Pull', Repository: 'hello-world', Tag: 'v1' })
    succeeded(await skopeo(inside, ['copy', directory, `docker://${HOST}/team/app:v1`]))
    const pushed = await find({ OperationName: 'Push', Repository: 'team/app', Tag: 'v1' })
    for (const event of [pulled, pushed]) {
      assert.equal(event.Type, 'ContainerRegistryRepositoryEvents')
      for (const [name, value] of Object.entries(byEndpoint())) assert.equal(event[name], value)
      assert.match(String(event.Digest), /^sha256:/)
      assert.match(String(event.MediaType), /^application\//)
      assert.match(String(event.UserAgent), /skopeo/)
      assert.ok(Number(event.Size) > 0)
    }
    assert.deepEqual([pulled.ResultDescription, pushed.ResultDescription], ['200', '201'])
  })

  test('what az deletes, with its principal', async () => {
    await signIn(causeway, inside)
    const image = ['--name', 'audithouse', '--image', 'team/app:v1']
    succeeded(await az(causeway, ['acr', 'repository', 'untag', ...image], { where: inside }))
    const untagged = await find({ OperationName: 'Untag', Repository: 'team/app', Tag: 'v1' })
    assert.deepEqual([untagged.IdentityName, untagged.IdentityType], ['owner', 'ServicePrincipal'])
    const whole = ['--name', 'audithouse', '--repository', 'team/app', '--yes']
    succeeded(await az(causeway, ['acr', 'repository', 'delete', ...whole], { where: inside }))
    const deleted = await find({ OperationName: 'Delete', Repository: 'team/app' })
    assert.deepEqual([deleted.ResultDescription, deleted.PrivateEndpoint], ['202', endpoint.id])
  })

  test('a push by somebody who may only pull', async () => {
    const flags = ['--role', 'AcrPull', '--scope', registry.id]
    const { appId, secret, objectId } = await createPrincipal(causeway, 'puller', ...flags)
    const creds = ['--dest-creds', `${appId}:${secret}`]
    const target = `docker://${HOST}/team/new:v1`
    failed(await skopeo(inside, ['copy', ...creds, `dir:${folder}/image`, target]))
    const event = await find({ OperationName: 'Push', Repository: 'team/new' })
    assert.deepEqual(
      [event.ResultDescription, event.Identity, event.IdentityName, event.PrivateEndpoint],
      ['401', objectId, 'puller', endpoint.id],
    )
  })

  test('is chosen from by registry, repository, table, time and number', async () => {
    const repository = await read('--repository', 'team/app', '--since', '1h')
    assert.deepEqual(
      repository.map(({ OperationName }) => OperationName),
      ['Push', 'Untag', 'Delete'],
    )
    assert.equal((await read('--registry', 'another')).length, 0)
    const logins = await read('--registry', 'audithouse', '--table', 'login', '-n', '2')
    assert.deepEqual(
      logins.map(({ Type }) => Type),
      ['ContainerRegistryLoginEvents', 'ContainerRegistryLoginEvents'],
    )
    assert.equal((await read('--since', '2999-01-01')).length, 0)
    const wrong = await causeway.command(['audit', '--since', 'yesterday'])
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /'yesterday' is not a time/)
  })

  test('is followed as it grows, and ends with who reads it', async () => {
    const flags = ['--follow', '--json', '--lines', '1', '--table', 'login']
    const [file, ...args] = commandOf(undefined)
    const follow = spawn(file, [...args, 'audit', '--data', causeway.dataFolder, ...flags], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(follow, 'close')
    try {
      const lines = createInterface({ input: follow.stdout })[Symbol.asyncIterator]()
      // The last one there is: from here on it follows.
      const first = JSON.parse(String((await lines.next()).value))
      failed(await login(internet, admin.password))
      const second = JSON.parse(String((await lines.next()).value))
      assert.deepEqual([second.ResultDescription, second.Place], ['403', 'internet'])
      assert.ok(second.TimeGenerated > first.TimeGenerated)
      follow.stdout.destroy()
      failed(await login(internet, admin.password))
      assert.deepEqual(await Promise.race([ended, delay(20_000, 'still there')]), [0, null])
    } finally {
      follow.kill('SIGTERM')
      await ended
    }
  })

  test('is a table for people, outlives a crash, and holds no password', async () => {
    const target = `docker://${HOST}/team/last:v1`
    succeeded(await login(inside, admin.password))
    succeeded(await skopeo(inside, ['copy', `dir:${folder}/image`, target]))
    // What was acknowledged is on disk; nothing was waited for.
    await causeway.end('SIGKILL')
    await causeway.startAgain()
    const pushed = await read('--repository', 'team/last')
    assert.deepEqual(
      pushed.map(({ OperationName, ResultDescription }) => [OperationName, ResultDescription]),
      [['Push', '201']],
    )
    const table = succeeded(await causeway.command(['audit', '--repository', 'team/app']))
    const [heading = '', ...lines] = table.trimEnd().split('\n')
    assert.match(heading, /^TIME +OPERATION +RESULT +WHO +FROM +WHAT/)
    assert.equal(lines.length, 3)
    assert.match(
      lines[0] ?? '',
      /Push +201 +audithouse .*audited-endpoint .*\/team\/app:v1@sha256:/,
    )
    const everything = JSON.stringify(await read('--since', '1h'))
    assert.ok(!everything.includes(admin.password))
    assert.doesNotMatch(everything, /wrong|Bearer|Basic/)
  })
})

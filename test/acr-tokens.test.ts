import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { accepted, createArmClient } from './support/arm-client.ts'
import { az, signIn } from './support/az.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { importSample, makeGroup, makeRegistry } from './support/private-registry.ts'
import { type Finished, failed, run, succeeded } from './support/run.ts'

const REGISTRY = 'tokenhouse'
const HOST = `${REGISTRY}.azurecr.io`
const PROGRAM = join(import.meta.dirname, 'support/acr-tokens-program.ts')

interface Password {
  readonly name: string
  readonly value?: string
  readonly expiry?: string | null
}

interface Token {
  readonly name: string
  readonly status: string
  readonly scopeMapId: string
  readonly credentials: { readonly passwords: readonly Password[] }
}

describe('repository-scoped tokens, by az and skopeo', {
  ...needs('places', 'ip', 'az', 'skopeo'),
  timeout: 900_000,
}, () => {
  let causeway: Causeway
  let folder: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'causeway-acr-tokens-'))
    causeway = await startCauseway()
    const arm = await createArmClient(causeway)
    const registry = await makeRegistry(arm, await makeGroup(arm, 'tokens'), REGISTRY, 'Standard')
    await importSample(arm, registry)
    accepted(
      await arm.post(`${registry.id}/importImage`, {
        source: { registryUri: 'mcr.microsoft.com', sourceImage: 'hello-world:latest' },
        targetTags: ['secret/app:v1'],
      }),
    )
    await signIn(causeway)
    // What is pushed below.
    const image = `docker://mcr.microsoft.com/hello-world:latest`
    succeeded(await skopeo('copy', '--src-no-creds', image, `dir:${folder}/image`))
  })
  after(async () => {
    await causeway?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  const skopeo = (...args: readonly string[]) => causeway.inPlace(internet, ['skopeo', ...args])
  /** `az acr WORDS…`, the registry is named last. */
  const acr = (...words: readonly string[]) =>
    az(causeway, ['acr', ...words, '--registry', REGISTRY])
  const parsed = <T>(finished: Finished): T => JSON.parse(succeeded(finished)) as T
  const pull = (login: string, image: string) =>
    skopeo('inspect', '--raw', '--creds', login, `docker://${HOST}/${image}`)
  const push = (login: string, image: string) =>
    skopeo('copy', '--dest-creds', login, `dir:${folder}/image`, `docker://${HOST}/${image}`)
  const refused = (finished: Finished) =>
    assert.match(failed(finished), /unauthorized|authentication required|HTTP 401/i)

  /** Makes a token and returns what to sign in with, by either password. */
  async function make(name: string, ...words: readonly string[]): Promise<readonly string[]> {
    const { credentials } = parsed<Token>(await acr('token', 'create', '--name', name, ...words))
    return credentials.passwords.map(({ value }) => `${name}:${value}`)
  }

  test('scope maps are made, changed, shown, listed and deleted', async () => {
    const named = ['--name', 'readers']
    const first = ['--repository', 'hello-world', 'content/read', 'metadata/read']
    succeeded(await acr('scope-map', 'create', ...named, ...first, '--description', 'Readers'))
    const add = ['--add-repository', 'team/*', 'content/read']
    const remove = ['--remove-repository', 'hello-world', 'metadata/read']
    succeeded(await acr('scope-map', 'update', ...named, ...add, ...remove))
    const shown = parsed<{ actions: string[]; description: string; typePropertiesType: string }>(
      await acr('scope-map', 'show', ...named),
    )
    assert.deepEqual(shown.actions.toSorted(), [
      'repositories/hello-world/content/read',
      'repositories/team/*/content/read',
    ])
    assert.equal(shown.description, 'Readers')
    const names = async () =>
      parsed<{ name: string }[]>(await acr('scope-map', 'list')).map(({ name }) => name)
    const system = (await names()).filter((name) => name.startsWith('_repositories_'))
    assert.equal(system.length, 5)
    const builtIn = await acr('scope-map', 'delete', '--name', '_repositories_pull', '--yes')
    assert.match(failed(builtIn), /defined by the system/)
    succeeded(await acr('scope-map', 'delete', ...named, '--yes'))
    assert.deepEqual(await names(), system)
  })

  test('a token pulls what it may, and neither pulls another repository nor pushes', async () => {
    const [one = '', two = ''] = await make(
      'puller',
      ...['--repository', 'hello-world', 'content/read', 'metadata/read'],
    )
    for (const login of [one, two]) succeeded(await pull(login, 'hello-world:v1'))
    refused(await pull(one, 'secret/app:v1'))
    refused(await pull(one, 'absent:v1'))
    refused(await push(one, 'hello-world:mine'))
    const shown = parsed<Token>(await acr('token', 'show', '--name', 'puller'))
    assert.equal(shown.status, 'enabled')
    assert.deepEqual(
      shown.credentials.passwords.map(({ name, value }) => [name, value ?? null]),
      [
        ['password1', null],
        ['password2', null],
      ],
    )
    const [user = '', password = ''] = one.split(':')
    const tags = ['repository', 'show-tags', '--name', REGISTRY, '--repository', 'hello-world']
    const as = ['--username', user, '--password', password]
    assert.deepEqual(parsed(await az(causeway, ['acr', ...tags, ...as])), ['v1'])
    const catalog = await az(causeway, ['acr', 'repository', 'list', '--name', REGISTRY, ...as])
    assert.match(failed(catalog), /UNAUTHORIZED|authentication required/i)
  })

  test('Docker-style sign-in is refused with a wrong password', async () => {
    const [login = ''] = await make('signer', '--scope-map', '_repositories_pull')
    const signInWith = (password: string) =>
      causeway.inPlace(
        internet,
        ['skopeo', 'login', '--authfile', `${folder}/auth`, '--username', 'signer'].concat(
          ...['--password-stdin', HOST],
        ),
        { input: password },
      )
    succeeded(await signInWith(login.slice('signer:'.length)))
    succeeded(
      await skopeo('list-tags', '--authfile', `${folder}/auth`, `docker://${HOST}/secret/app`),
    )
    assert.match(failed(await signInWith('wrong')), /invalid username\/password/)
  })

  test('a password that is regenerated or deleted ends at once, the other one does not', async () => {
    const [one = '', two = ''] = await make('changer', '--scope-map', '_repositories_pull')
    const generate = ['token', 'credential', 'generate', '--name', 'changer', '--password1']
    const { passwords } = parsed<{ passwords: Password[] }>(
      await acr(...generate, '--expiration-in-days', '30'),
    )
    assert.equal(passwords[0]?.name, 'password1')
    const days = (Date.parse(passwords[0]?.expiry ?? '') - Date.now()) / 86_400_000
    assert.ok(days > 29.9 && days < 30.1, `${days} days`)
    refused(await pull(one, 'hello-world:v1'))
    succeeded(await pull(`changer:${passwords[0]?.value}`, 'hello-world:v1'))
    succeeded(await pull(two, 'hello-world:v1'))
    succeeded(await acr('token', 'credential', 'delete', '--name', 'changer', '--password2'))
    refused(await pull(two, 'hello-world:v1'))
    succeeded(await pull(`changer:${passwords[0]?.value}`, 'hello-world:v1'))
  })

  test('a token is switched off, given more to do, and deleted', async () => {
    const [login = ''] = await make('worker', '--repository', 'team/*', 'content/read')
    refused(await push(login, 'team/app:v1'))
    const update = (...words: readonly string[]) =>
      acr('token', 'update', '--name', 'worker', ...words)
    succeeded(await update('--status', 'disabled'))
    refused(await pull(login, 'team/app:v1'))
    const write = ['--add-repository', 'team/*', 'content/write']
    succeeded(await acr('scope-map', 'update', '--name', 'worker-scope-map', ...write))
    succeeded(await update('--status', 'enabled'))
    succeeded(await push(login, 'team/app:v1'))
    succeeded(await pull(login, 'team/app:v1'))
    refused(await push(login, 'secret/app:mine'))
    const used = await acr('scope-map', 'delete', '--name', 'worker-scope-map', '--yes')
    assert.match(failed(used), /in use by the token 'worker'/)
    succeeded(await acr('token', 'delete', '--name', 'worker', '--yes'))
    refused(await pull(login, 'team/app:v1'))
    succeeded(await acr('scope-map', 'delete', '--name', 'worker-scope-map', '--yes'))
    const names = parsed<{ name: string }[]>(await acr('token', 'list')).map(({ name }) => name)
    assert.ok(!names.includes('worker'))
  })

  test("the admin user's passwords are shown, renewed and switched off", async () => {
    const registry = (...words: readonly string[]) =>
      az(causeway, ['acr', ...words, '--name', REGISTRY])
    const show = async () => {
      const { passwords } = parsed<{ passwords: Password[] }>(await registry('credential', 'show'))
      return passwords.map(({ value }) => `${REGISTRY}:${value}`)
    }
    assert.match(failed(await registry('credential', 'show')), /admin/i)
    succeeded(await registry('update', '--admin-enabled', 'true'))
    const [one = '', two = ''] = await show()
    for (const login of [one, two]) succeeded(await pull(login, 'secret/app:v1'))
    succeeded(await registry('credential', 'renew', '--password-name', 'password'))
    const [renewed = '', kept] = await show()
    assert.equal(kept, two)
    refused(await pull(one, 'secret/app:v1'))
    for (const login of [renewed, two]) succeeded(await pull(login, 'secret/app:v1'))
    succeeded(await registry('update', '--admin-enabled', 'false'))
    refused(await pull(two, 'secret/app:v1'))
  })

  test('anonymous pull lets everybody pull and nobody push, while it is on', async () => {
    const allow = (value: 'true' | 'false') => {
      const words = ['acr', 'update', '--name', REGISTRY, '--anonymous-pull-enabled', value]
      return az(causeway, words)
    }
    const asNobody = () =>
      skopeo('inspect', '--raw', '--no-creds', `docker://${HOST}/secret/app:v1`)
    refused(await asNobody())
    succeeded(await allow('true'))
    succeeded(await asNobody())
    const image = `docker://${HOST}/secret/app:mine`
    refused(await skopeo('copy', '--dest-no-creds', `dir:${folder}/image`, image))
    succeeded(await allow('false'))
    refused(await asNobody())
  })

  test("Azure's SDK makes, lists, changes and deletes both, and their passwords work", async () => {
    const ran = await causeway.inPlace(internet, [process.execPath, PROGRAM, 'tokens', REGISTRY])
    const seen = parsed<{ login: string; [what: string]: unknown }>(ran)
    const { login, ...rest } = seen
    assert.deepEqual(rest, {
      made: ['UserDefined', 'enabled', 'Succeeded'],
      listed: [true, true],
      passwords: [['password2', '2100-01-01T00:00:00.000Z']],
      changed: [['repositories/hello-world/content/read', 'repositories/*/metadata/read'], 1],
    })
    succeeded(await pull(login, 'hello-world:v1'))
    const deletion = [process.execPath, PROGRAM, 'tokens', REGISTRY, 'delete']
    assert.deepEqual(parsed(await causeway.inPlace(internet, deletion)), [false, false])
    refused(await pull(login, 'hello-world:v1'))
  })

  test('a token outlives the server', async () => {
    const [login = ''] = await make('survivor', '--scope-map', '_repositories_pull')
    await causeway.end('SIGKILL')
    await causeway.startAgain()
    succeeded(await pull(login, 'secret/app:v1'))
    refused(await push(login, 'secret/app:mine'))
  })

  test('no password is in the log or in the data folder', async () => {
    const logins = await make('secretive', '--scope-map', '_repositories_pull')
    for (const login of logins) succeeded(await pull(login, 'hello-world:v1'))
    for (const login of logins) {
      const value = login.slice('secretive:'.length)
      // 1: nothing was found, in any file.
      const found = await run('grep', ['-rFl', '--', value, causeway.dataFolder])
      assert.deepEqual([found.code, found.stdout], [1, ''])
    }
  })
})

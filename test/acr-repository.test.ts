import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type ArmClient, accepted, createArmClient } from './support/arm-client.ts'
import { az, signIn } from './support/az.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { importSample, makeGroup, makeRegistry, type Registry } from './support/private-registry.ts'
import { accessToken, bearer, curl } from './support/registry-client.ts'
import { failed, succeeded } from './support/run.ts'

const PROGRAM = join(import.meta.dirname, 'support/registry-program.ts')
const NAME = 'attributehouse'
const ALL_TRUE = { deleteEnabled: true, listEnabled: true, readEnabled: true, writeEnabled: true }
const EMPTY = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'

describe('what is in a registry, described and locked', {
  ...needs('places', 'ip', 'curl'),
  timeout: 600_000,
}, () => {
  let causeway: Causeway
  let arm: ArmClient
  let registry: Registry

  before(async () => {
    causeway = await startCauseway()
    arm = await createArmClient(causeway)
    registry = await makeRegistry(arm, await makeGroup(arm, 'attributes'), NAME, 'Standard')
    await importSample(arm, registry)
  })
  after(() => causeway?.remove())

  test('by the SDK: list, get, update and delete', async () => {
    const command = [process.execPath, PROGRAM, 'sdk/app']
    const printed = await causeway.inPlace(internet, command, { variables: { REGISTRY: NAME } })
    const { 'digest of one': one, 'digest of two': two, ...seen } = JSON.parse(succeeded(printed))
    assert.match(one, /^sha256:/)
    assert.notEqual(one, two)
    const disallowed = [405, 'REGISTRY_DISALLOWED_OPERATION']
    delete seen['digest of three']
    assert.deepEqual(seen, {
      'catalog by pages': true,
      'tags by time': ['three', 'two', 'one'],
      'manifests by time and pages': [[['three'], ['two']], [['one']]],
      repository: { name: 'sdk/app', tagCount: 3, manifestCount: 3, canDelete: true },
      manifest: { architecture: 'arm64', operatingSystem: 'linux', hasSize: true },
      'locked tag': [false, true, true, true],
      'push to a locked tag': disallowed,
      'delete of a locked tag': disallowed,
      'hidden manifest': [false, false, true],
      'pull of what may not be read': disallowed,
      'delete of the repository': disallowed,
      'manifests in the list': 2,
      'push to a locked repository': disallowed,
      'tags left': ['three'],
      'repository at the end': [404, 'NAME_UNKNOWN'],
    })
  })

  // The tests build on each other: the last ones delete what the first ones describe.
  describe('by az', needs('az'), () => {
    const acr = (...words: readonly string[]) => az(causeway, ['acr', ...words, '--output', 'json'])
    const json = async (...words: readonly string[]) => JSON.parse(succeeded(await acr(...words)))
    const of = ['--name', NAME]
    const manifestOf = ['--registry', NAME]
    let index: string

    before(async () => {
      await signIn(causeway)
      for (const tag of ['team/app:v1', 'team/app:v2', 'team/app:v3']) {
        accepted(
          await arm.post(`${registry.id}/importImage`, {
            source: { registryUri: 'mcr.microsoft.com', sourceImage: 'hello-world:latest' },
            targetTags: [tag],
          }),
        )
      }
    })

    test('repository list, show and show-tags, by time and by name', async () => {
      const repositories = await json('repository', 'list', ...of)
      assert.deepEqual(repositories, ['hello-world', 'team/app'])
      const shown = await json('repository', 'show', ...of, '--repository', 'team/app')
      const { createdTime, lastUpdateTime, ...described } = shown
      assert.ok(createdTime < lastUpdateTime)
      assert.deepEqual(described, {
        registry: registry.loginServer,
        imageName: 'team/app',
        manifestCount: 3,
        tagCount: 3,
        changeableAttributes: ALL_TRUE,
      })
      const tags = ['repository', 'show-tags', ...of, '--repository', 'team/app']
      assert.deepEqual(await json(...tags), ['v1', 'v2', 'v3'])
      assert.deepEqual(await json(...tags, '--orderby', 'time_desc'), ['v3', 'v2', 'v1'])
      assert.deepEqual(await json(...tags, '--top', '2', '--orderby', 'time_asc'), ['v1', 'v2'])
      const [detailed] = await json(...tags, '--detail', '--top', '1')
      index = detailed.digest
      assert.deepEqual(detailed.changeableAttributes, ALL_TRUE)
    })

    test('manifest list-metadata, show-metadata and show', async () => {
      const app = ['--name', 'team/app', ...manifestOf]
      const manifests = await json('manifest', 'list-metadata', ...app, '--orderby', 'time_desc')
      assert.equal(manifests.length, 3)
      const sizes = manifests.map(({ imageSize }: { imageSize: number }) => imageSize)
      const tagged = manifests.find(({ tags }: { tags?: string[] }) => tags)
      assert.deepEqual(tagged.tags, ['v1', 'v2', 'v3'])
      assert.equal(tagged.imageSize, Math.max(...sizes))
      const id = [`team/app@${index}`, ...manifestOf]
      const shown = await json('manifest', 'show-metadata', '--name', ...id)
      assert.equal(shown.digest, index)
      assert.deepEqual(
        shown.references.map(({ architecture, os }: Record<string, string>) => [os, architecture]),
        [
          ['linux', 'amd64'],
          ['linux', 'arm64'],
        ],
      )
      const { manifests: named } = await json('manifest', 'show', '--name', ...id)
      assert.equal(named.length, 2)
    })

    test('repository update locks a tag: it is neither moved nor deleted, and az says why', async () => {
      const image = [...of, '--image', 'team/app:v1']
      const locked = await json('repository', 'update', ...image, '--write-enabled', 'false')
      assert.deepEqual(locked.changeableAttributes, { ...ALL_TRUE, writeEnabled: false })
      assert.equal(locked.name, 'v1')
      for (const words of [
        ['repository', 'untag', ...image],
        ['repository', 'delete', ...of, '--image', 'team/app:v2', '--yes'],
        ['repository', 'delete', ...of, '--repository', 'team/app', '--yes'],
        ['manifest', 'delete', '--name', 'team/app:v1', ...manifestOf, '--yes'],
      ]) {
        assert.match(failed(await acr(...words)), /The operation is disallowed on this registry/)
      }
      const shown = await json('repository', 'show', ...of, '--image', `team/app@${index}`)
      assert.deepEqual(shown.changeableAttributes, ALL_TRUE)
      const freed = await json('repository', 'update', ...image, '--write-enabled', 'true')
      assert.deepEqual(freed.changeableAttributes, ALL_TRUE)
    })

    test('manifest update-metadata hides a manifest and keeps it from being pulled', async () => {
      const id = ['--name', `team/app@${index}`, ...manifestOf]
      const change = ['--read-enabled', 'false', '--list-enabled', 'false']
      const hidden = await json('manifest', 'update-metadata', ...id, ...change)
      assert.deepEqual(hidden.changeableAttributes, {
        ...ALL_TRUE,
        readEnabled: false,
        listEnabled: false,
      })
      const listed = await json('manifest', 'list-metadata', '--name', 'team/app', ...manifestOf)
      assert.equal(listed.length, 2)
      assert.match(failed(await acr('manifest', 'show', ...id)), /operation is disallowed/)
      const back = ['--read-enabled', 'true', '--list-enabled', 'true']
      await json('manifest', 'update-metadata', ...id, ...back)
    })

    test('manifest list-referrers names what refers to an image', async () => {
      const token = await accessToken(
        causeway,
        internet,
        registry.loginServer,
        'repository:team/app:pull,push',
      )
      const base = `https://${registry.loginServer}/v2/team/app`
      const send = (path: string, type: string, method: string, body: string) =>
        curl(causeway, internet, [
          ...bearer(token),
          ...['-X', method, '-H', `Content-Type: ${type}`, '--data-raw', body, `${base}/${path}`],
        ])
      await send(`blobs/uploads/?digest=${EMPTY}`, 'application/octet-stream', 'POST', '{}')
      const empty = { mediaType: 'application/vnd.oci.empty.v1+json', digest: EMPTY, size: 2 }
      const mediaType = 'application/vnd.oci.image.manifest.v1+json'
      const subject = {
        mediaType: 'application/vnd.oci.image.index.v1+json',
        digest: index,
        size: 1,
      }
      const artifactType = 'application/vnd.example.signature'
      const body = { schemaVersion: 2, artifactType, config: empty, layers: [empty], subject }
      const put = await send('manifests/signature', mediaType, 'PUT', JSON.stringify(body))
      assert.equal(put.status, 201)
      const id = ['--name', 'team/app:v1', ...manifestOf]
      const { manifests } = await json('manifest', 'list-referrers', ...id)
      assert.deepEqual(
        manifests.map((each: Record<string, unknown>) => each.artifactType),
        [artifactType],
      )
    })

    test('a policy by az resource update: the first push of a tag wins', async () => {
      const ids = ['--ids', registry.id]
      const policy = JSON.stringify({ status: 'enabled', patterns: ['team/*'] })
      const set = `properties.policies.tagImmutabilityPolicy=${policy}`
      const updated = await az(causeway, ['resource', 'update', ...ids, '--set', set, '-o', 'json'])
      assert.deepEqual(
        JSON.parse(succeeded(updated)).properties.policies.tagImmutabilityPolicy,
        JSON.parse(policy),
      )
      // The tag is there, and its image is the index; what comes now is one of its parts.
      const { manifests } = await json('manifest', 'show', '--name', 'team/app:v1', ...manifestOf)
      const source = `${registry.loginServer}/team/app@${manifests[0].digest}`
      const move = ['import', ...of, '--source', source, '--image', 'team/app:v1', '--force']
      const refused = failed(await acr(...move))
      assert.match(refused, /tag 'v1' of 'team\/app' stays on sha256:/)
      const off = 'properties.policies.tagImmutabilityPolicy.status=disabled'
      succeeded(await az(causeway, ['resource', 'update', ...ids, '--set', off]))
      succeeded(await acr(...move))
    })

    test('repository untag, and delete of an image and of a repository', async () => {
      succeeded(await acr('repository', 'untag', ...of, '--image', 'team/app:v1'))
      const tags = ['repository', 'show-tags', ...of, '--repository', 'team/app']
      assert.deepEqual(await json(...tags), ['signature', 'v2', 'v3'])
      const named = ['manifest', 'delete', '--name', `team/app@${index}`, ...manifestOf, '--yes']
      succeeded(await acr(...named))
      assert.deepEqual(await json(...tags), ['signature'])
      const whole = ['repository', 'delete', ...of, '--repository', 'team/app', '--yes']
      const { manifestsDeleted, tagsDeleted } = await json(...whole)
      assert.ok(manifestsDeleted.length >= 3)
      assert.deepEqual(tagsDeleted, ['signature'])
      const gone = await acr('repository', 'show', ...of, '--repository', 'team/app')
      assert.match(failed(gone), /repository name not known to registry/)
      assert.deepEqual(await json('repository', 'list', ...of), ['hello-world'])
    })
  })
})

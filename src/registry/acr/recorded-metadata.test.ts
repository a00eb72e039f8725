import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { needs } from '../../../test/support/needs.ts'
import { sharedData } from '../../../test/support/shared-data.ts'
import { digestOf } from '../../lib/digest.ts'
import { type Fixture, pushBlob, pushImage, startRegistry } from '../testing/registry-fixture.ts'

/** One request and its answer, as the real service gave it to azure-sdk-for-js. */
interface Recorded {
  readonly method: string
  readonly url: string
  readonly requestBody: unknown
  readonly status: number
  readonly responseBody: unknown
  readonly responseHeaders: Readonly<Record<string, string>>
}

const FOLDER = 'azure/recorded/sdk-js-2024-04'
const TESTS = 'repository_and_artifact_tests'
const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json'
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json'

function recorded(file: string): readonly Recorded[] {
  const text = readFileSync(sharedData(`${FOLDER}/${file}.json`), 'utf8')
  const { interactions } = JSON.parse(text) as { interactions: Recorded[] }
  // The challenge and the tokens are another matter, and tested where they are served.
  return interactions.filter(({ url, status }) => status !== 401 && !url.includes('/oauth2/'))
}

/** `library/hello-world` as it was recorded, of other bytes: an index of eleven images with two tags, and `demo`. */
async function pushRecorded(registry: Fixture) {
  const repository = 'library/hello-world'
  const config = Buffer.from('{"architecture":"arm","os":"linux"}')
  const image = {
    schemaVersion: 2,
    mediaType: DOCKER,
    config: {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      digest: await pushBlob(registry, repository, config),
      size: config.length,
    },
    layers: [],
  }
  const put = async (reference: string, content: object) => {
    const body = JSON.stringify(content)
    const headers = { 'content-type': 'mediaType' in content ? String(content.mediaType) : '' }
    const path = `/v2/${repository}/manifests/${reference || digestOf(Buffer.from(body))}`
    assert.equal((await registry.send('PUT', path, { body, headers })).status, 201)
    return { mediaType: DOCKER, digest: digestOf(Buffer.from(body)), size: body.length }
  }
  const images = []
  for (let index = 0; index < 11; index++) {
    images.push(await put('', { ...image, annotations: { index: String(index) } }))
  }
  const platform = { architecture: 'amd64', os: 'linux' }
  const manifests = images.map((each) => ({ ...each, platform }))
  const list = { schemaVersion: 2, mediaType: DOCKER_LIST, manifests }
  const { digest } = await put('test1', list)
  await put('test-delete', list)
  await put('', image)
  await pushImage(registry, repository, 'demo')
  await pushImage(registry, 'library/busybox', 'latest')
  return { index: digest, image: images[0]?.digest ?? '' }
}

const INDEX = 'sha256:6e8b6f026e0b9c419ea0fd02d3905dd0952ad1feea67543f525c73a0a790fefb'
const IMAGE = 'sha256:40d0cfd0861719208ff9f7747ab3f97844eeca509df705db44a736df863b76af'

/** What bytes decide stands for itself: digests, sizes, times, platforms. Members and their order stay. */
function comparable(value: unknown): string {
  return JSON.stringify(value, (name, member: unknown) => {
    if (name === 'imageSize') return 0
    if (name.endsWith('Time')) return '<time>'
    if (name === 'architecture' || name === 'os') return `<${name}>`
    if (name === 'registry') return '<registry>'
    // The service does not know it of images that were imported, as most of those recorded were.
    if (name === 'configMediaType') return undefined
    if (name === 'manifestsDeleted' || name === 'references')
      return (member as unknown[]).slice(0, 1)
    return typeof member === 'string' ? withoutDigest(member) : member
  })
}

const withoutDigest = (text: string) => text.replace(/sha256(:|%3A)[0-9a-f]{64}/g, 'sha256$1<hex>')

describe('answers are those that the service was recorded with', needs('shared data'), () => {
  for (const file of [
    'containerregistryclient_tests/should_list_repositories',
    'containerregistryclient_tests/should_list_repositories_by_pages',
    'containerregistryclient_tests/should_list_repositories_by_pages_with_continuationtoken',
    'containerregistryclient_tests/deletes_repository_of_given_name',
    `${TESTS}/deletes_a_given_tag`,
    `${TESTS}/sets_manifest_properties`,
    `${TESTS}/sets_repository_properties`,
    `${TESTS}/sets_tag_properties`,
    `${TESTS}/should_list_tags`,
    `${TESTS}/should_list_tags_by_pages`,
    `${TESTS}/should_list_tags_by_pages_with_continuationtoken`,
    `${TESTS}/should_retrive_registry_artifact_properties_for_a_digest`,
    `${TESTS}/should_retrive_registry_artifact_properties_for_a_tag`,
    `${TESTS}/should_retrive_tag_properties`,
  ]) {
    test(file, async (t) => {
      const registry = await startRegistry(t)
      const { index, image } = await pushRecorded(registry)
      const exchanges = recorded(file)
      assert.ok(exchanges.length > 0)
      for (const { method, url, requestBody, status, responseBody, responseHeaders } of exchanges) {
        const { pathname, search } = new URL(url)
        const path = `${pathname}${search}`
          .replace(encodeURIComponent(INDEX), encodeURIComponent(index))
          .replace(encodeURIComponent(IMAGE), encodeURIComponent(image))
        const answer = await registry.send(method, path, {
          ...(requestBody !== null && { body: JSON.stringify(requestBody) }),
        })
        assert.equal(answer.status, status, `${method} ${path}`)
        const body = answer.body.length > 0 ? answer.json() : null
        assert.equal(comparable(body), comparable(responseBody), `${method} ${path}`)
        const { link } = responseHeaders
        assert.equal(
          answer.headers.link && withoutDigest(answer.headers.link as string),
          link && withoutDigest(link),
        )
      }
    })
  }

  for (const file of [
    'should_list_registry_manifests',
    'should_list_registry_manifests_by_pages',
    'should_list_registry_manifests_by_pages_with_continuationtoken',
  ]) {
    test(`${TESTS}/${file}`, async (t) => {
      const registry = await startRegistry(t)
      await pushRecorded(registry)
      for (const { method, url, responseBody, responseHeaders } of recorded(`${TESTS}/${file}`)) {
        const { pathname, search } = new URL(url)
        const answer = await registry.send(method, `${pathname}${search}`)
        // Which manifest comes first is a matter of digests, and so are the members that not all have.
        const common = (body: unknown) => {
          const { manifests, ...head } = body as { manifests: Record<string, unknown>[] }
          return comparable({
            ...head,
            manifests: manifests.map(
              ({ architecture: _, os: __, tags: ___, mediaType: ____, ...rest }) => rest,
            ),
          })
        }
        assert.equal(common(answer.json()), common(responseBody))
        const { link } = responseHeaders
        assert.equal(
          answer.headers.link && withoutDigest(answer.headers.link as string),
          link && withoutDigest(link),
        )
      }
    })
  }
})

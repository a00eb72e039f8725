import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { NoAnswer, type PlaceAgent } from '../place-agent.ts'
import { tokenFor } from './arm-load.ts'
import { type Expectations, repeat, type Seen } from './expectations.ts'
import type { Chance } from './seeded-random.ts'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const REPOSITORIES = ['team/one', 'team/two', 'three']
const TAGS = ['a', 'b', 'c']

/** A registry as a client in a place uses it. */
export interface RegistryClient {
  readonly loginServer: string
  send(
    method: string,
    path: string,
    body?: Uint8Array | string,
    headers?: Readonly<Record<string, string>>,
  ): ReturnType<PlaceAgent['request']>
}

export async function registryFrom(
  agent: PlaceAgent,
  loginServer: string,
): Promise<RegistryClient> {
  const token = await accessTokenFrom(agent, loginServer)
  return {
    loginServer,
    send: (method, path, body, headers) =>
      agent.request(new URL(path, `https://${loginServer}`).href, {
        method,
        headers: { ...headers, authorization: `Bearer ${token}` },
        ...(body !== undefined && { body }),
      }),
  }
}

/** Signs in, exchanges, narrows down: an access token for all of the registry's repositories. */
export async function accessTokenFrom(agent: PlaceAgent, loginServer: string): Promise<string> {
  const signedIn = await tokenFor(agent, 'https://containerregistry.azure.net/.default')
  const post = async (path: string, form: Record<string, string>) => {
    const answer = await agent.request(`https://${loginServer}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ service: loginServer, ...form }).toString(),
    })
    if (answer.status !== 200) throw new NoAnswer(`no token: ${answer.content}`)
    return JSON.parse(answer.content.toString()) as Record<string, string>
  }
  const { refresh_token = '' } = await post('/oauth2/exchange', {
    grant_type: 'access_token',
    access_token: signedIn,
  })
  const { access_token = '' } = await post('/oauth2/token', {
    grant_type: 'refresh_token',
    refresh_token,
    scope: [...REPOSITORIES, 'imported']
      .map((name) => `repository:${name}:pull,push,delete`)
      .join(' '),
  })
  return access_token
}

/** Pushes images in chunks, moves tags, and deletes, until told to stop. */
export async function loadImages(options: {
  readonly registry: RegistryClient
  readonly expected: Expectations
  readonly chance: Chance
  readonly signal: AbortSignal
  /** Each has a client of its own. */
  readonly repositories?: readonly string[]
}): Promise<void> {
  const { registry, expected, chance, signal, repositories = REPOSITORIES } = options

  async function pushBlob(repository: string, content: Buffer): Promise<object> {
    const begun = await registry.send('POST', `/v2/${repository}/blobs/uploads/`)
    assert.equal(begun.status, 202)
    let location = String(begun.headers.location)
    const chunks = 1 + chance.below(3)
    const length = Math.ceil(content.length / chunks)
    for (let at = 0; at < content.length; at += length) {
      const patched = await registry.send('PATCH', location, content.subarray(at, at + length))
      assert.equal(patched.status, 202)
      location = String(patched.headers.location)
    }
    const digest = digestOf(content)
    const done = await registry.send('PUT', `${location}&digest=${encodeURIComponent(digest)}`)
    assert.equal(done.status, 201)
    return { mediaType: 'application/octet-stream', size: content.length, digest }
  }

  async function push(key: string, repository: string, tag: string) {
    const config = await pushBlob(repository, Buffer.from(`{"n":${chance.below(2 ** 31)}}`))
    const layer = await pushBlob(repository, chance.bytes(4 + chance.below(150_000)))
    const manifest = JSON.stringify({
      ...{ schemaVersion: 2, mediaType: MANIFEST },
      ...{ config, layers: [layer] },
    })
    await expected.attempt(new Map([[key, digestOf(manifest)]]), async () => {
      const headers = { 'content-type': MANIFEST }
      const path = `/v2/${repository}/manifests/${tag}`
      const { status } = await registry.send('PUT', path, manifest, headers)
      assert.equal(status, 201)
      return 'acknowledged'
    })
  }

  const work = (repository: string) => async () => {
    const tag = chance.one(TAGS)
    const key = `${repository}:${tag}`
    const digest = expected.now(key)
    const choice = chance.below(4)
    if (digest === undefined || choice > 1) return push(key, repository, tag)
    const path =
      choice === 0 ? `/v2/${repository}/manifests/${digest}` : `/acr/v1/${repository}/_tags/${tag}`
    await expected.attempt(new Map([[key, undefined]]), async () => {
      const { status } = await registry.send('DELETE', path)
      assert.equal(status, 202)
      return 'acknowledged'
    })
  }

  await Promise.all(repositories.map((repository) => repeat(signal, work(repository))))
}

/** The digest that a tag leads to, once all that it names was pulled and found whole. */
export async function pull(
  registry: RegistryClient,
  agent: PlaceAgent,
  key: string,
): Promise<Seen> {
  const [repository = '', tag = ''] = key.split(':')
  const headers = { accept: MANIFEST }
  const path = `/v2/${repository}/manifests/${tag}`
  const answer = await registry.send('GET', path, undefined, headers)
  if (answer.status === 404) return undefined
  assert.equal(answer.status, 200, `${key}: ${answer.content}`)
  const { config, layers } = JSON.parse(answer.content.toString()) as {
    config: { digest: string }
    layers: { digest: string }[]
  }
  for (const { digest } of [config, ...layers]) {
    const given = await registry.send('GET', `/v2/${repository}/blobs/${digest}`)
    // What is large is fetched elsewhere.
    const { content } =
      given.status === 307 ? await agent.request(String(given.headers.location)) : given
    assert.equal(digestOf(content), digest)
  }
  return digestOf(answer.content)
}

const digestOf = (content: Uint8Array | string): string =>
  `sha256:${createHash('sha256').update(content).digest('hex')}`

import { buffer } from 'node:stream/consumers'
import type { Digest } from '../../lib/digest.ts'
import { EgressError } from '../../lib/egress-error.ts'
import { type Challenge, parseChallenge } from '../access/challenge.ts'
import { MANIFEST_BYTES_MAX, MANIFEST_MEDIA_TYPES } from '../manifests/manifest.ts'
import type { Outside, OutsideAnswer } from '../outside.ts'
import { type CopyErrand, ImageCopyError, type RemoteSource } from './image-copy.ts'

const TOKEN_BYTES_MAX = 1 << 20
const SHORT_SECONDS = 60
/** For one blob. One that stops coming is given up much earlier. */
const BLOB_SECONDS = 6 * 60 * 60

/** Docker Hub's registry goes by another name than people call it. */
const REGISTRY_OF: Readonly<Record<string, string>> = {
  'docker.io': 'registry-1.docker.io',
  'index.docker.io': 'registry-1.docker.io',
}

/** One repository of a registry elsewhere, as far as a pull goes. */
export interface RemoteRepository {
  /** A manifest by tag or digest, unchecked. */
  manifest(
    reference: string,
  ): Promise<{ readonly content: Buffer; readonly mediaType: string | undefined }>
  /** The bytes of a blob, unchecked but for being no more than `size`. */
  blob(digest: Digest, size: number): Promise<AsyncIterable<Uint8Array>>
}

/**
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pull. Credentials go to the registry, or to
 * the realm that it names itself, by https and nowhere else.
 *
 * Every call throws ImageCopyError, and EgressError `cancelled`.
 */
export function openRemoteRepository(
  outside: Outside,
  source: RemoteSource & { readonly repository: string },
  errand: CopyErrand,
): RemoteRepository {
  const { host, repository, credentials } = source
  const base = `https://${REGISTRY_OF[host] ?? host}`
  let authorization: string | undefined

  const fetch = async (request: Parameters<Outside['fetch']>[0]) =>
    outside.fetch(request).catch(rethrow)

  async function get(
    path: string,
    bounds: { readonly bytesMax: number; readonly timeoutSeconds: number },
    headers: Readonly<Record<string, string>> = {},
  ): Promise<OutsideAnswer> {
    const ask = () =>
      fetch({
        url: `${base}/v2/${repository}/${path}`,
        headers: { ...headers, ...(authorization && { authorization }) },
        what: 'import',
        ...errand,
        ...bounds,
      })
    const first = await ask()
    if (first.status !== 401) return accept(first)
    first.discard()
    // Who was redirected to has no say in where credentials go.
    const isOwnWord = new URL(first.url).origin === new URL(base).origin
    const challenge = isOwnWord && parseChallenge(first.headers['www-authenticate'] ?? '')
    if (!challenge) throw denied()
    authorization = await authorize(challenge)
    return accept(await ask())
  }

  async function authorize(challenge: Challenge): Promise<string> {
    const { username, password } = credentials ?? {}
    const basic =
      username !== undefined && password !== undefined
        ? `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
        : undefined
    if (challenge.scheme === 'basic') {
      if (!basic) throw denied()
      return basic
    }
    if (password !== undefined && basic === undefined) return bearer(password)
    if (!URL.canParse(challenge.realm)) throw denied()
    const realm = new URL(challenge.realm)
    if (challenge.service) realm.searchParams.set('service', challenge.service)
    // Optional in the challenge: https://github.com/Azure/acr/issues/449
    realm.searchParams.set('scope', challenge.scope ?? `repository:${repository}:pull`)
    const answer = await fetch({
      url: realm.href,
      headers: { accept: 'application/json', ...(basic && { authorization: basic }) },
      what: 'import: sign-in',
      ...errand,
      bytesMax: TOKEN_BYTES_MAX,
      timeoutSeconds: SHORT_SECONDS,
    })
    if (answer.status !== 200) {
      answer.discard()
      throw denied()
    }
    return bearer(tokenOf(await buffer(answer.body).catch(rethrow)))
  }

  function bearer(token: string): string {
    if (!/^[\x21-\x7e]+$/.test(token)) throw denied()
    return `Bearer ${token}`
  }

  function accept(answer: OutsideAnswer): OutsideAnswer {
    const { status } = answer
    if (status === 200) return answer
    answer.discard()
    if (status === 404) {
      throw new ImageCopyError('source-unknown', `'${host}/${repository}' has no such image.`)
    }
    if (status === 401 || status === 403) throw denied()
    throw new ImageCopyError('source-unreachable', `'${host}' answered with status ${status}.`)
  }

  const denied = () =>
    new ImageCopyError(
      'source-denied',
      `'${host}' does not let the repository '${repository}' be read ${credentials ? 'with these credentials' : 'without credentials'}.`,
    )

  return {
    async manifest(reference) {
      const bounds = { bytesMax: MANIFEST_BYTES_MAX, timeoutSeconds: SHORT_SECONDS }
      const { body, headers } = await get(`manifests/${reference}`, bounds, {
        accept: MANIFEST_MEDIA_TYPES.join(', '),
      })
      return { content: await buffer(body).catch(rethrow), mediaType: headers['content-type'] }
    },
    async blob(digest, size) {
      const bounds = { bytesMax: size, timeoutSeconds: BLOB_SECONDS }
      const { body } = await get(`blobs/${digest}`, bounds, { accept: '*/*' })
      return inOurWords(body)
    },
  }
}

async function* inOurWords(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    rethrow(error)
  }
}

function rethrow(error: unknown): never {
  if (!(error instanceof EgressError) || error.kind === 'cancelled') throw error
  const code = error.kind === 'too-large' ? 'source-invalid' : 'source-unreachable'
  throw new ImageCopyError(code, error.message, { cause: error })
}

function tokenOf(body: Buffer): string {
  try {
    const { token, access_token } = JSON.parse(body.toString()) as Record<string, unknown>
    const found = token ?? access_token
    return typeof found === 'string' ? found : ''
  } catch {
    return ''
  }
}

import { buffer } from 'node:stream/consumers'
import { type Digest, isDigest } from '../../lib/digest.ts'
import { parseChallenge } from '../access/challenge.ts'
import { MANIFEST_BYTES_MAX, MANIFEST_MEDIA_TYPES } from '../manifests/manifest.ts'
import type { Outside, OutsideAnswer } from '../outside.ts'
import { type CopyErrand, ImageCopyError, type RemoteSource } from './image-copy.ts'
import { inOurWords, rethrow } from './our-words.ts'
import { answerTo } from './remote-sign-in.ts'

const SHORT_SECONDS = 60
/** For one blob. One that stops coming is given up much earlier. */
const BLOB_SECONDS = 6 * 60 * 60

/** Docker Hub's registry goes by another name than people call it. */
const REGISTRY_OF: Readonly<Record<string, string>> = {
  'docker.io': 'registry-1.docker.io',
  'index.docker.io': 'registry-1.docker.io',
}

/** For the log: what is asked for, beside who asks. */
export interface RemoteErrand extends CopyErrand {
  readonly what?: string
}

export interface RemoteManifest {
  readonly content: Buffer
  readonly mediaType: string | undefined
  /** What the registry says that it is; unchecked. */
  readonly stated: Digest | undefined
}

/** One repository of a registry elsewhere, as far as a pull goes. */
export interface RemoteRepository {
  /** What a tag leads to now; undefined where the registry does not say. Docker Hub does not count it as a pull. */
  digestOf(tag: string, timeoutSeconds?: number): Promise<Digest | undefined>
  /** A manifest by tag or digest, unchecked. */
  manifest(reference: string, timeoutSeconds?: number): Promise<RemoteManifest>
  /** The bytes of a blob from `start` on, unchecked but for being no more than the rest of `size`. */
  blob(digest: Digest, size: number, start?: number): Promise<AsyncIterable<Uint8Array>>
}

interface Ask {
  readonly method?: 'GET' | 'HEAD'
  readonly bytesMax: number
  readonly timeoutSeconds: number
  readonly headers: Readonly<Record<string, string>>
}

const ACCEPT_MANIFESTS = { accept: MANIFEST_MEDIA_TYPES.join(', ') }

/**
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pull. Credentials go to the registry, or to
 * the realm that it names itself, by https and nowhere else.
 *
 * Every call throws ImageCopyError, and EgressError `cancelled`.
 */
export function openRemoteRepository(
  outside: Outside,
  source: RemoteSource & { readonly repository: string },
  { what = 'import', ...errand }: RemoteErrand,
): RemoteRepository {
  const { host, repository, credentials } = source
  const base = `https://${REGISTRY_OF[host] ?? host}`
  let authorization: string | undefined

  async function get(path: string, { headers, ...bounds }: Ask): Promise<OutsideAnswer> {
    const ask = () =>
      outside
        .fetch({
          url: `${base}/v2/${repository}/${path}`,
          headers: { ...headers, ...(authorization && { authorization }) },
          what,
          ...errand,
          ...bounds,
        })
        .catch(rethrow)
    const first = await ask()
    if (first.status !== 401) return accept(first)
    first.discard()
    // Who was redirected to has no say in where credentials go.
    const isOwnWord = new URL(first.url).origin === new URL(base).origin
    const challenge = isOwnWord && parseChallenge(first.headers['www-authenticate'] ?? '')
    const timeoutSeconds = Math.min(bounds.timeoutSeconds, SHORT_SECONDS)
    const answer =
      challenge && (await answerTo(outside, challenge, source, { ...errand, what, timeoutSeconds }))
    if (!answer) throw denied()
    authorization = answer
    return accept(await ask())
  }

  function accept(answer: OutsideAnswer): OutsideAnswer {
    const { status, headers } = answer
    if (status === 200 || status === 206) return answer
    answer.discard()
    if (status === 404) {
      throw new ImageCopyError('source-unknown', `'${host}/${repository}' has no such image.`)
    }
    if (status === 401 || status === 403) throw denied()
    if (status === 429) {
      const retryAfterSeconds = secondsOf(headers['retry-after'])
      throw new ImageCopyError('source-throttled', `'${host}' was asked too often.`, {
        hope: 'yes',
        retryAfterSeconds,
      })
    }
    throw new ImageCopyError('source-unreachable', `'${host}' answered with status ${status}.`, {
      hope: status >= 500 || status === 408 ? 'yes' : 'no',
    })
  }

  const denied = () =>
    new ImageCopyError(
      'source-denied',
      `'${host}' does not let the repository '${repository}' be read ${credentials ? 'with these credentials' : 'without credentials'}.`,
    )

  return {
    async digestOf(tag, timeoutSeconds = SHORT_SECONDS) {
      const bounds = { bytesMax: MANIFEST_BYTES_MAX, timeoutSeconds, headers: ACCEPT_MANIFESTS }
      const answer = await get(`manifests/${tag}`, { method: 'HEAD', ...bounds })
      answer.discard()
      return statedDigest(answer)
    },
    async manifest(reference, timeoutSeconds = SHORT_SECONDS) {
      const bounds = { bytesMax: MANIFEST_BYTES_MAX, timeoutSeconds, headers: ACCEPT_MANIFESTS }
      const answer = await get(`manifests/${reference}`, bounds)
      return {
        content: await buffer(answer.body).catch(rethrow),
        mediaType: answer.headers['content-type'],
        stated: statedDigest(answer),
      }
    },
    async blob(digest, size, start = 0) {
      const { status, headers, body, discard } = await get(`blobs/${digest}`, {
        bytesMax: size,
        timeoutSeconds: BLOB_SECONDS,
        headers: { accept: '*/*', ...(start > 0 && { range: `bytes=${start}-` }) },
      })
      if (status === 200) return inOurWords(skip(body, start))
      if (start > 0 && headers['content-range']?.startsWith(`bytes ${start}-`)) {
        return inOurWords(body)
      }
      discard()
      throw new ImageCopyError('source-invalid', `'${host}' sent a part that nobody asked for.`)
    },
  }
}

function statedDigest({ headers }: OutsideAnswer): Digest | undefined {
  const stated = headers['docker-content-digest']
  return typeof stated === 'string' && isDigest(stated) ? stated : undefined
}

/** Of a `Retry-After`, which may also be a time. https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : Math.max(0, Math.ceil((time - Date.now()) / 1000))
}

/** For a source that sends all of it where a part would do. */
async function* skip(body: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes
  for await (const chunk of body) {
    const skipped = Math.min(left, chunk.length)
    left -= skipped
    if (skipped < chunk.length) yield chunk.subarray(skipped)
  }
}

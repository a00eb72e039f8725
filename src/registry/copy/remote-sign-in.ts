import { buffer } from 'node:stream/consumers'
import type { Challenge } from '../access/challenge.ts'
import type { Outside, OutsideRequest } from '../outside.ts'
import type { RemoteSource } from './image-copy.ts'
import { rethrow } from './our-words.ts'

const TOKEN_BYTES_MAX = 1 << 20

/**
 * The `Authorization` that answers a registry's challenge, with a token where it wants one; undefined where there is none.
 * https://distribution.github.io/distribution/spec/auth/token/
 *
 * @throws ImageCopyError, and EgressError `cancelled`
 */
export async function answerTo(
  outside: Outside,
  challenge: Challenge,
  { credentials, repository }: RemoteSource & { readonly repository: string },
  errand: Pick<OutsideRequest, 'who' | 'what' | 'signal' | 'timeoutSeconds'>,
): Promise<string | undefined> {
  const { username, password } = credentials ?? {}
  const basic =
    username !== undefined && password !== undefined
      ? `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
      : undefined
  if (challenge.scheme === 'basic') return basic
  if (password !== undefined && basic === undefined) return bearer(password)
  if (!URL.canParse(challenge.realm)) return undefined
  const realm = new URL(challenge.realm)
  if (challenge.service) realm.searchParams.set('service', challenge.service)
  // Optional in the challenge: https://github.com/Azure/acr/issues/449
  realm.searchParams.set('scope', challenge.scope ?? `repository:${repository}:pull`)
  const answer = await outside
    .fetch({
      url: realm.href,
      headers: { accept: 'application/json', ...(basic && { authorization: basic }) },
      ...errand,
      what: `${errand.what}: sign-in`,
      bytesMax: TOKEN_BYTES_MAX,
    })
    .catch(rethrow)
  if (answer.status !== 200) {
    answer.discard()
    return undefined
  }
  return bearer(tokenOf(await buffer(answer.body).catch(rethrow)))
}

const bearer = (token: string): string | undefined =>
  /^[\x21-\x7e]+$/.test(token) ? `Bearer ${token}` : undefined

function tokenOf(body: Buffer): string {
  try {
    const { token, access_token } = JSON.parse(body.toString()) as Record<string, unknown>
    const found = token ?? access_token
    return typeof found === 'string' ? found : ''
  } catch {
    return ''
  }
}

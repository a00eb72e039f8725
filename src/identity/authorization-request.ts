import type { FastifyRequest } from 'fastify'
import { AuthorityError } from './authority-error.ts'
import type { TokenForm } from './token-endpoint.ts'
import type { CodeWish, Wish } from './user-sessions.ts'

/** How the client wants its answer: in the address it waits at, or as a form that is posted there. */
export type ResponseMode = 'query' | 'form_post'

/** What a browser was opened for. */
export interface AuthorizationRequest extends CodeWish {
  readonly state?: string | undefined
  readonly mode: ResponseMode
  /** Who the client thinks it is that signs in. */
  readonly loginHint?: string | undefined
}

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
// The base64url of a SHA-256.
const CHALLENGE = /^[\w-]{43}$/

/** @throws AuthorityError 400 */
export function parseAuthorizationRequest(request: FastifyRequest): AuthorizationRequest {
  const query = request.query as TokenForm
  if (query.response_type !== 'code') {
    throw refuse(700054, "response_type 'code' is the only one that is enabled.")
  }
  const mode = query.response_mode ?? 'query'
  if (mode !== 'query' && mode !== 'form_post') {
    throw refuse(70007, `'${mode}' is not a supported value of 'response_mode' for a code.`)
  }
  const challenge = query.code_challenge ?? ''
  if (query.code_challenge_method !== 'S256' || !CHALLENGE.test(challenge)) {
    throw refuse(9002325, 'Proof Key for Code Exchange is required: code_challenge_method S256.')
  }
  const { state, nonce, login_hint: loginHint } = query
  return {
    ...parseWish(query),
    redirectUri: parseRedirectUri(required(query, 'redirect_uri')),
    challenge,
    nonce,
    state,
    mode,
    loginHint,
  }
}

/** The client and its scope. @throws AuthorityError 400 */
export function parseWish(form: TokenForm): Wish {
  const clientId = required(form, 'client_id')
  if (!GUID.test(clientId)) {
    throw refuse(700038, `'${clientId}' is not a valid application identifier.`)
  }
  return { clientId, scope: required(form, 'scope') }
}

/** Only programs on the person's own machine: nobody else could be told from a stranger. @throws AuthorityError 400 */
function parseRedirectUri(text: string): string {
  const url = URL.parse(text)
  const isLoopback = url?.hostname === 'localhost' || url?.hostname === '127.0.0.1'
  if (url?.protocol === 'http:' && isLoopback && !url.username && !url.password && !url.hash) {
    return text
  }
  throw refuse(50011, `The redirect URI '${text}' is not one of this machine.`)
}

const refuse = (code: number, text: string) =>
  new AuthorityError(400, 'invalid_request', code, text)

function required(form: TokenForm, name: string): string {
  const value = form[name]
  if (value) return value
  throw refuse(900144, `The request must contain the following parameter: '${name}'.`)
}

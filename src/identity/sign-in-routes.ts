import { randomBytes, timingSafeEqual } from 'node:crypto'
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  preHandlerAsyncHookHandler,
} from 'fastify'
import { AuthorityError } from './authority-error.ts'
import type { Principals, SignIn } from './principals.ts'
import { type PageField, pageHeaders, renderPage } from './sign-in-page.ts'
import type { TokenForm } from './token-endpoint.ts'
import type { CodeWish, UserSessions } from './user-sessions.ts'

/** The device that asks is asked how often to come again. */
const INTERVAL_SECONDS = 1
const COOKIE = '__Host-causeway-form'

type SignInSources = {
  readonly principals: Pick<Principals, 'authenticateUser'>
  readonly sessions: UserSessions
}

/** Where a person signs in: by the code of a device, or in the browser that a client has opened. */
export function signInRoutes(
  app: FastifyInstance,
  { principals, sessions }: SignInSources,
  paths: {
    readonly oauth: string
    /** The path of the page for codes, as told to people. */
    readonly page: string
    readonly preHandler: preHandlerAsyncHookHandler[]
  },
): void {
  const { preHandler } = paths

  app.post(`${paths.oauth}/devicecode`, { preHandler }, async (request) => {
    const form = (request.body ?? {}) as TokenForm
    const wish = { clientId: required(form, 'client_id'), scope: required(form, 'scope') }
    const { deviceCode, userCode, expiresInSeconds } = sessions.beginDevice(wish)
    const uri = `https://${request.host}${paths.page}`
    return {
      user_code: userCode,
      device_code: deviceCode,
      verification_uri: uri,
      verification_url: uri,
      expires_in: expiresInSeconds,
      interval: INTERVAL_SECONDS,
      message: `To sign in, use a web browser to open the page ${uri} and enter the code ${userCode} to authenticate.`,
    }
  })

  const showDevice = (reply: FastifyReply, alert?: string, code = '') =>
    showForm(reply, 'Sign in to your device', [{ ...CODE, value: code }, ...PERSON], alert)
  app.get(paths.page, async (_request, reply) => showDevice(reply))
  app.post(paths.page, async (request, reply) => {
    const form = (request.body ?? {}) as TokenForm
    if (!isFromOurPage(request, form)) return showDevice(reply.code(400), EXPIRED)
    const code = form.code ?? ''
    if (!sessions.findDevice(code)) return showDevice(reply.code(400), 'That code is not known.')
    const signIn = await signInOf(form)
    if (!signIn) return showDevice(reply.code(401), WRONG, code)
    sessions.approveDevice(code, signIn)
    const text = 'You have signed in on your device. You may close this window.'
    return reply.headers(pageHeaders()).send(renderPage({ title: 'Signed in', text }))
  })

  const authorize = `${paths.oauth}/authorize`
  const showAuthorize = (reply: FastifyReply, wish: CodeWish, alert?: string) =>
    showForm(reply, 'Sign in', PERSON, alert, new URL(wish.redirectUri).origin)
  app.get(authorize, { preHandler }, async (request, reply) =>
    showAuthorize(reply, wishOf(request)),
  )
  app.post(authorize, { preHandler }, async (request, reply) => {
    const wish = wishOf(request)
    const form = (request.body ?? {}) as TokenForm
    if (!isFromOurPage(request, form)) return showAuthorize(reply.code(400), wish, EXPIRED)
    const signIn = await signInOf(form)
    if (!signIn) return showAuthorize(reply.code(401), wish, WRONG)
    const target = new URL(wish.redirectUri)
    target.searchParams.set('code', sessions.issueCode(wish, signIn))
    const { state } = request.query as TokenForm
    if (state !== undefined) target.searchParams.set('state', state)
    return reply.redirect(target.href, 302)
  })

  const signInOf = (form: TokenForm): Promise<SignIn | undefined> =>
    principals.authenticateUser(form.username ?? '', form.password ?? '')
}

const CODE: PageField = { name: 'code', label: 'Code', type: 'text', autocomplete: 'off' }
const PERSON: readonly PageField[] = [
  { name: 'username', label: 'User name', type: 'text', autocomplete: 'username' },
  { name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' },
]
const WRONG = 'The user name or the password is wrong.'
const EXPIRED = 'This page was open too long, or the browser keeps no cookies. Try again.'

/** A form carries what its page's cookie carries: another site can neither read nor set that cookie. */
function showForm(
  reply: FastifyReply,
  title: string,
  fields: readonly PageField[],
  alert?: string,
  target?: string,
) {
  const mark = randomBytes(24).toString('base64url')
  const form = { fields, hidden: { mark } }
  return reply
    .headers(pageHeaders(target))
    .header('set-cookie', `${COOKIE}=${mark}; Path=/; Secure; HttpOnly; SameSite=Strict`)
    .send(renderPage({ title, form, ...(alert !== undefined && { alert }) }))
}

function isFromOurPage(request: FastifyRequest, form: TokenForm): boolean {
  const cookie = new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w-]+)`).exec(
    request.headers.cookie ?? '',
  )?.[1]
  const [kept, given] = [Buffer.from(cookie ?? ''), Buffer.from(form.mark ?? '')]
  return kept.length > 0 && kept.length === given.length && timingSafeEqual(kept, given)
}

/** What an authorization request asks for. @throws AuthorityError 400 */
function wishOf(request: FastifyRequest): CodeWish {
  const query = request.query as TokenForm
  if (query.response_type !== 'code') {
    throw refuse(700054, "response_type 'code' is the only one that is enabled.")
  }
  const redirectUri = required(query, 'redirect_uri')
  const url = URL.parse(redirectUri)
  // Only programs on the person's own machine: nobody else could be told from a stranger.
  if (url?.protocol !== 'http:' || !['localhost', '127.0.0.1'].includes(url.hostname)) {
    throw refuse(50011, `The redirect URI '${redirectUri}' is not one of this machine.`)
  }
  if (query.code_challenge_method !== 'S256') {
    throw refuse(9002325, 'Proof Key for Code Exchange is required: code_challenge_method S256.')
  }
  return {
    clientId: required(query, 'client_id'),
    scope: required(query, 'scope'),
    redirectUri,
    challenge: required(query, 'code_challenge'),
    nonce: query.nonce,
  }
}

const refuse = (code: number, text: string) =>
  new AuthorityError(400, 'invalid_request', code, text)

function required(form: TokenForm, name: string): string {
  const value = form[name]
  if (value) return value
  throw refuse(900144, `The request must contain the following parameter: '${name}'.`)
}

import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { toAuthorityError } from './authority-error.ts'
import { type AuthorizationRequest, parseAuthorizationRequest } from './authorization-request.ts'
import { clientName } from './client-names.ts'
import { personFields, type Refused, refuseForeign, sendForm, signInBy } from './sign-in-form.ts'
import { renderPage } from './sign-in-page.ts'
import type { SignInPaths, SignInSources } from './sign-in-routes.ts'
import { pageHeaders } from './sign-in-style.ts'
import type { TokenForm } from './token-endpoint.ts'

/** A client opens a browser, and waits on the same machine for the code that the browser brings back. */
export function browserRoutes(
  app: FastifyInstance,
  { signInUser, sessions }: SignInSources,
  { oauth, preHandler }: SignInPaths,
): void {
  // Who is here is a person, not the client.
  const errorHandler = (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const error = toAuthorityError(thrown)
    if (error.status >= 500) request.log.error({ err: error.cause }, 'request failed')
    const lead = `AADSTS${error.code}: ${error.message}`
    const note = 'Close this window, and begin again in the program that opened it.'
    return reply
      .code(error.status)
      .headers(pageHeaders())
      .send(renderPage({ title: 'This sign-in cannot go on', lead, note }))
  }
  const path = `${oauth}/authorize`
  const options = { preHandler, errorHandler }

  app.get(path, options, async (request, reply) => {
    const asked = parseAuthorizationRequest(request)
    return askWho(request, reply, asked, asked.loginHint)
  })
  app.post(path, options, async (request, reply) => {
    const asked = parseAuthorizationRequest(request)
    const form = (request.body ?? {}) as TokenForm
    const foreign = refuseForeign(request, form)
    if (foreign) return askWho(request, reply, asked, form.username, foreign)
    if (form.answer === 'cancel') return answerClient(reply, asked, DECLINED)
    const signIn = await signInBy(form, signInUser)
    if ('alert' in signIn) return askWho(request, reply, asked, form.username, signIn)
    const { clientId } = asked
    request.log.info({ objectId: signIn.principal.objectId, clientId }, 'person signed in')
    return answerClient(reply, asked, { code: sessions.issueCode(asked, signIn) })
  })
}

const DECLINED = {
  error: 'access_denied',
  error_description: 'AADSTS65004: User declined to consent to access the app.',
}

function askWho(
  request: FastifyRequest,
  reply: FastifyReply,
  { clientId, redirectUri }: AuthorizationRequest,
  userName: string | undefined,
  refused?: Refused,
) {
  const { origin, host } = new URL(redirectUri)
  return sendForm(
    request,
    reply,
    {
      title: 'Sign in',
      lead: `${clientName(clientId)} asks to act as you.`,
      form: { fields: personFields(userName), hidden: {}, button: 'Sign in', cancel: 'Cancel' },
      note: `Go on only if you started this yourself: the program waits at ${host} on this machine.`,
    },
    { refused, target: origin },
  )
}

/** Sends the browser back to the client with an answer. */
function answerClient(
  reply: FastifyReply,
  { redirectUri, state, mode }: AuthorizationRequest,
  answer: Readonly<Record<string, string>>,
) {
  const hidden = { ...answer, ...(state !== undefined && { state }) }
  const target = new URL(redirectUri)
  if (mode === 'query') {
    for (const [name, value] of Object.entries(hidden)) target.searchParams.set(name, value)
    return reply.redirect(target.href, 302)
  }
  const form = {
    action: target.href,
    fields: [],
    hidden,
    button: 'Continue',
    submits: true,
  } as const
  const lead = 'If the browser stays here, continue by hand.'
  return reply
    .headers(pageHeaders({ target: target.origin, submits: true }))
    .send(renderPage({ title: 'Going back to your program', lead, form }))
}

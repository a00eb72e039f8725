import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { parseWish } from './authorization-request.ts'
import { clientName } from './client-names.ts'
import { personFields, type Refused, refuseForeign, sendForm, signInBy } from './sign-in-form.ts'
import { type PageField, renderPage } from './sign-in-page.ts'
import type { SignInPaths, SignInSources } from './sign-in-routes.ts'
import { pageHeaders } from './sign-in-style.ts'
import type { TokenForm } from './token-endpoint.ts'
import type { Wish } from './user-sessions.ts'

/** A device gets a code, and a person who knows it signs in for the device: RFC 8628. */
export function deviceRoutes(
  app: FastifyInstance,
  { signInUser, sessions }: SignInSources,
  { oauth, page, preHandler }: SignInPaths,
): void {
  app.post(`${oauth}/devicecode`, { preHandler }, async (request) => {
    const wish = parseWish((request.body ?? {}) as TokenForm)
    const { deviceCode, userCode, expiresInSeconds, intervalSeconds } = sessions.beginDevice(wish)
    const uri = `https://${request.host}${page}`
    return {
      user_code: userCode,
      device_code: deviceCode,
      verification_uri: uri,
      verification_url: uri,
      expires_in: expiresInSeconds,
      interval: intervalSeconds,
      message: `To sign in, use a web browser to open the page ${uri} and enter the code ${userCode} to authenticate.`,
    }
  })

  app.get(page, async (request, reply) => askForCode(request, reply))
  app.post(page, async (request, reply) => {
    const form = (request.body ?? {}) as TokenForm
    const foreign = refuseForeign(request, form)
    if (foreign) return askForCode(request, reply, foreign)
    const code = form.code ?? ''
    const device = sessions.findDevice(code)
    if (!device) return askForCode(request, reply, UNKNOWN)
    const { wish } = device
    if (form.answer === 'cancel') {
      device.answer('declined')
      return sendText(reply, 'Not signed in', 'Your device was told. You may close this window.')
    }
    if (form.username === undefined) return askWho(request, reply, wish, form)
    const signIn = await signInBy(form, signInUser)
    if ('alert' in signIn) return askWho(request, reply, wish, form, signIn)
    device.answer(signIn)
    const { clientId } = wish
    request.log.info({ objectId: signIn.principal.objectId, clientId }, 'person signed in a device')
    return sendText(
      reply,
      'Signed in',
      `${clientName(clientId)} is signed in on your device. You may close this window.`,
    )
  })
}

const CODE: PageField = { name: 'code', label: 'Code', type: 'text', autocomplete: 'off' }
const UNKNOWN: Refused = {
  status: 400,
  alert: {
    text: 'That code is not known, was used, or has expired. Look at your device again.',
    field: 'code',
  },
}

const askForCode = (request: FastifyRequest, reply: FastifyReply, refused?: Refused) =>
  sendForm(
    request,
    reply,
    {
      title: 'Sign in to your device',
      lead: 'Enter the code that your device shows.',
      form: { fields: [CODE], hidden: {}, button: 'Next' },
      note: 'Enter no code that somebody has sent you: it would sign them in as you.',
    },
    { refused },
  )

function askWho(
  request: FastifyRequest,
  reply: FastifyReply,
  { clientId }: Wish,
  { code = '', username }: TokenForm,
  refused?: Refused,
) {
  const hidden = { code }
  const fields = personFields(username)
  return sendForm(
    request,
    reply,
    {
      title: 'Sign in',
      lead: `${clientName(clientId)} asks to act as you, on the device that shows this code:`,
      code,
      form: { fields, hidden, button: 'Sign in', cancel: 'Cancel' },
      note: 'Go on only if you started this yourself and the code is on your own screen.',
    },
    { refused },
  )
}

const sendText = (reply: FastifyReply, title: string, lead: string) =>
  reply.headers(pageHeaders()).send(renderPage({ title, lead }))

import type { FastifyReply, FastifyRequest } from 'fastify'
import { isFromOurPage, markForm } from './form-mark.ts'
import type { SignIn } from './principals.ts'
import { type PageField, type PageForm, renderPage } from './sign-in-page.ts'
import { pageHeaders } from './sign-in-style.ts'
import type { TokenForm } from './token-endpoint.ts'
import { LOCKED_SECONDS, type UserSignIn } from './user-sign-in.ts'

/** What a form could not do, in words for the person before it. */
export interface Refused {
  readonly status: number
  readonly alert: { readonly text: string; readonly field?: string }
}

/** The fields by which people say who they are. `userName` is filled in already. */
export const personFields = (userName = ''): readonly PageField[] => [
  {
    name: 'username',
    label: 'User name',
    type: 'text',
    autocomplete: 'username',
    value: userName,
  },
  { name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password' },
]

/** Signs in whom a form names. */
export async function signInBy(form: TokenForm, signInUser: UserSignIn): Promise<SignIn | Refused> {
  const { username = '', password = '' } = form
  const signIn = await signInUser(username, password)
  if (signIn === 'locked') {
    const text = `There were too many wrong passwords. Wait ${LOCKED_SECONDS} seconds, then try again.`
    return { status: 429, alert: { text, field: 'password' } }
  }
  if (signIn) return signIn
  const text = 'The user name or the password is wrong. Try again, or ask who made your account.'
  return { status: 401, alert: { text, field: 'password' } }
}

/** Undefined for a form of ours; of another site's, and of a page that was open too long, what to say. */
export const refuseForeign = (request: FastifyRequest, form: TokenForm): Refused | undefined =>
  isFromOurPage(request, form)
    ? undefined
    : {
        status: 400,
        alert: { text: 'This page was open too long, or the browser keeps no cookies. Try again.' },
      }

/** Sends a page with a form. `target` is where the form may lead, besides where the page came from. */
export function sendForm(
  request: FastifyRequest,
  reply: FastifyReply,
  page: Omit<Parameters<typeof renderPage>[0], 'form' | 'alert'> & { readonly form: PageForm },
  { refused, target }: { readonly refused?: Refused | undefined; readonly target?: string } = {},
): FastifyReply {
  const hidden = { ...page.form.hidden, ...markForm(request, reply) }
  const form = { ...page.form, hidden }
  return reply
    .code(refused?.status ?? 200)
    .headers(pageHeaders(target === undefined ? {} : { target }))
    .send(renderPage({ ...page, form, ...(refused && { alert: refused.alert }) }))
}

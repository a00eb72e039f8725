import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { TokenForm } from './token-endpoint.ts'

const COOKIE = '__Host-causeway-form'
const COOKIE_IN = new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w-]{32})(?:;|$)`)

/**
 * What a form carries besides, `mark`, and its page's cookie with it: another site can neither read nor set that
 * cookie, and so cannot send the form. One cookie for all pages that a browser has open.
 */
export function markForm(request: FastifyRequest, reply: FastifyReply): { readonly mark: string } {
  const mark = kept(request) ?? randomBytes(24).toString('base64url')
  reply.header('set-cookie', `${COOKIE}=${mark}; Path=/; Secure; HttpOnly; SameSite=Strict`)
  return { mark }
}

export function isFromOurPage(request: FastifyRequest, form: TokenForm): boolean {
  const [own, given] = [Buffer.from(kept(request) ?? ''), Buffer.from(form.mark ?? '')]
  return own.length > 0 && own.length === given.length && timingSafeEqual(own, given)
}

const kept = (request: FastifyRequest): string | undefined =>
  COOKIE_IN.exec(request.headers.cookie ?? '')?.[1]

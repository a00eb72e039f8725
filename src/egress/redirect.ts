import type { IncomingHttpHeaders } from 'node:http'
import { EgressError } from '../lib/egress-error.ts'
import type { Hop } from './hop.ts'

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]
/** What speaks of the sender, and is for the first origin alone. */
const PERSONAL: readonly string[] = ['authorization', 'cookie', 'proxy-authorization']
const OF_CONTENT = /^content-/

/**
 * The request that follows an answer; undefined where the answer is none that redirects.
 * https://www.rfc-editor.org/rfc/rfc9110#section-15.4
 *
 * @throws EgressError `redirects` where it leaves https
 */
export function redirected(
  hop: Hop,
  { status, headers }: { readonly status: number; readonly headers: IncomingHttpHeaders },
): Hop | undefined {
  if (!REDIRECTS.includes(status) || headers.location === undefined) return undefined
  const from = new URL(hop.url)
  if (!URL.canParse(headers.location, from)) throw new EgressError('redirects', from.host)
  const to = new URL(headers.location, from)
  if (to.protocol !== 'https:') throw new EgressError('redirects', from.host)
  const becomesGet =
    (status === 303 && hop.method !== 'HEAD') || (status < 303 && hop.method === 'POST')
  const isKept = (name: string) =>
    !(to.origin !== from.origin && PERSONAL.includes(name)) &&
    !(becomesGet && OF_CONTENT.test(name))
  return {
    url: to.href,
    method: becomesGet ? 'GET' : hop.method,
    headers: Object.fromEntries(Object.entries(hop.headers).filter(([name]) => isKept(name))),
    ...(hop.body && !becomesGet && { body: hop.body }),
  }
}

import { createHash } from 'node:crypto'
import { pino } from 'pino'
import { createAuthority } from './authority.ts'
import { createClientAssertions } from './client-assertion.ts'
import { createCredentials } from './credentials.ts'
import { identityFor, TENANT } from './identity-for-tests.ts'

export const CLIENT = '04b07795-8ddb-461a-bbee-02f9e1bf7b46'
export const SCOPE = 'https://management.core.windows.net//.default offline_access openid profile'
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
export const PAGE = '/common/oauth2/v2.0/deviceauth'
export const VERIFIER = 'a verifier of enough characters'
export const REDIRECT = 'http://localhost:8400'
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')

/** The path that az opens a browser at. */
export const authorizePath = (change: Record<string, string> = {}): string =>
  `/common/oauth2/v2.0/authorize?${new URLSearchParams({
    client_id: CLIENT,
    response_type: 'code',
    redirect_uri: REDIRECT,
    scope: SCOPE,
    state: 'S',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    nonce: 'N',
    ...change,
  })}`

/** An authority, a person named alice, and what clients and browsers send. */
export async function peopleFor(t: { after(hook: () => Promise<void>): void }) {
  const identity = await identityFor(t)
  const app = await createAuthority({
    ...identity,
    assertions: createClientAssertions({ ...identity, credentials: createCredentials(identity) }),
    tenantId: TENANT,
    log: pino({ level: 'silent' }),
  })
  t.after(() => app.close())
  const { principal, secret: password } = await identity.principals.create('alice', 'User')
  const send = (url: string, form?: Record<string, string>, cookie?: string) =>
    app.inject({
      method: form ? 'POST' : 'GET',
      url,
      headers: {
        host: 'login.microsoftonline.com',
        ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...(cookie && { cookie }),
      },
      ...(form && { payload: new URLSearchParams(form).toString() }),
    })
  const token = async (form: Record<string, string>) => {
    const answer = await send('/common/oauth2/v2.0/token', { client_id: CLIENT, ...form })
    return { status: answer.statusCode, body: answer.json() }
  }
  /** Fills in the form of a page, as a browser does. */
  const submit = async (url: string, form: Record<string, string>) => {
    const page = await send(url)
    const mark = /name="mark" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
    const cookie = String(page.headers['set-cookie']).split(';')[0]
    return send(url, { mark, ...form }, cookie)
  }
  const beginDevice = async () =>
    (await send('/common/oauth2/v2.0/devicecode', { client_id: CLIENT, scope: SCOPE })).json()
  const person = { username: 'Alice@causeway.onmicrosoft.com', password }
  return { ...identity, principal, person, send, token, submit, beginDevice }
}

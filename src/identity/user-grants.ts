import { audienceOf } from './audience.ts'
import { AuthorityError } from './authority-error.ts'
import type { SignIn } from './principals.ts'
import type { TokenForm } from './token-endpoint.ts'
import type { Tokens } from './tokens.ts'
import type { DeviceRefusal, UserSessions } from './user-sessions.ts'
import type { UserSignIn } from './user-sign-in.ts'

const LIFETIME_SECONDS = 3599
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'

export interface UserGrantSources {
  /** The operator's own names of the control plane. */
  readonly hostNames?: readonly string[]
  readonly signInUser: UserSignIn
  readonly sessions: UserSessions
  readonly tokens: Pick<Tokens, 'issueAccessToken' | 'issueUserTokens' | 'verifyRefreshToken'>
}

interface Granted {
  readonly signIn: SignIn
  readonly scope: string
  readonly nonce?: string | undefined
}

/** Tokens for a person; undefined for a grant that is not one of people's. @throws AuthorityError */
export async function grantUserTokens(
  sources: UserGrantSources,
  form: TokenForm,
  required: (form: TokenForm, name: string) => string,
): Promise<object | undefined> {
  const granted = await redeem(sources, form, required)
  if (!granted) return undefined
  const { signIn, scope, nonce } = granted
  const clientId = required(form, 'client_id')
  const resource = scope.split(' ').find((part) => part.endsWith('/.default'))
  const audience = resource?.slice(0, -'/.default'.length) ?? ''
  if (!audienceOf(audience, sources.hostNames)) {
    throw refuse(70011, 'invalid_scope', `The provided value for scope ${scope} is not valid.`)
  }
  const { tokens } = sources
  return {
    token_type: 'Bearer',
    scope,
    expires_in: LIFETIME_SECONDS,
    ext_expires_in: LIFETIME_SECONDS,
    access_token: await tokens.issueAccessToken({
      signIn,
      audience,
      lifetimeSeconds: LIFETIME_SECONDS,
    }),
    ...(await tokens.issueUserTokens({ signIn, clientId, nonce })),
  }
}

async function redeem(
  { signInUser, sessions, tokens }: UserGrantSources,
  form: TokenForm,
  required: (form: TokenForm, name: string) => string,
): Promise<Granted | undefined> {
  const clientId = () => required(form, 'client_id')
  switch (form.grant_type) {
    case DEVICE: {
      const code = form.device_code ?? required(form, 'code')
      const redeemed = sessions.redeemDevice(code, clientId())
      if (typeof redeemed === 'string') throw refuse(...DEVICE_REFUSALS[redeemed])
      return { signIn: redeemed.signIn, scope: redeemed.wish.scope }
    }
    case 'authorization_code': {
      const redeemed = sessions.redeemCode(required(form, 'code'), {
        clientId: clientId(),
        redirectUri: required(form, 'redirect_uri'),
        verifier: required(form, 'code_verifier'),
      })
      if (!redeemed)
        throw refuse(70008, 'invalid_grant', 'The provided authorization code has expired.')
      const { wish, signIn } = redeemed
      return { signIn, scope: form.scope ?? wish.scope, nonce: wish.nonce }
    }
    case 'refresh_token': {
      const signIn = await tokens.verifyRefreshToken(required(form, 'refresh_token'), clientId())
      if (!signIn) throw refuse(700082, 'invalid_grant', 'The refresh token has expired.')
      return { signIn, scope: required(form, 'scope') }
    }
    case 'password': {
      const signIn = await signInUser(required(form, 'username'), required(form, 'password'))
      if (signIn === 'locked') {
        const text =
          'The account is locked, you have tried to sign in too many times with an incorrect user ID or password.'
        throw refuse(50053, 'invalid_grant', text)
      }
      if (!signIn) {
        const text = 'Error validating credentials due to invalid username or password.'
        throw refuse(50126, 'invalid_grant', text)
      }
      return { signIn, scope: required(form, 'scope') }
    }
    default:
      return undefined
  }
}

// https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code#expected-errors, and RFC 8628 §3.5.
const DEVICE_REFUSALS: Readonly<Record<DeviceRefusal, Parameters<typeof refuse>>> = {
  pending: [
    70016,
    'authorization_pending',
    'OAuth 2.0 device flow error. Authorization is pending. Continue polling.',
  ],
  'too often': [70016, 'slow_down', 'The device polls too often. Keep to the interval.'],
  declined: [70018, 'authorization_declined', 'The end user denied the authorization request.'],
  expired: [70020, 'expired_token', 'The provided device code has expired.'],
  unknown: [70019, 'bad_verification_code', 'The verification code is not known, or was used.'],
}

const refuse = (code: number, error: string, text: string): AuthorityError =>
  new AuthorityError(400, error, code, text)

import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../lib/clock.ts'
import type { SignIn } from './principals.ts'

/** What a client asked for when it sent a person to the authority. */
export interface Wish {
  readonly clientId: string
  readonly scope: string
}

export interface CodeWish extends Wish {
  readonly redirectUri: string
  /** PKCE, S256. */
  readonly challenge: string
  readonly nonce?: string | undefined
}

interface Device {
  readonly userCode: string
  readonly wish: Wish
  readonly expiresAt: number
  signIn?: SignIn
}

/** People who are between asking for a token and getting it. In memory: a restart makes them begin anew. */
export interface UserSessions {
  beginDevice(wish: Wish): { deviceCode: string; userCode: string; expiresInSeconds: number }
  /** What a client waits for under a code that a person typed. */
  findDevice(userCode: string): Wish | undefined
  /** The person has signed in. */
  approveDevice(userCode: string, signIn: SignIn): void
  /** Once, and only for the client that began. */
  redeemDevice(
    deviceCode: string,
    clientId: string,
  ): { readonly wish: Wish; readonly signIn: SignIn } | 'pending' | undefined
  issueCode(wish: CodeWish, signIn: SignIn): string
  /** Once, to who knows the verifier. */
  redeemCode(
    code: string,
    shown: { clientId: string; redirectUri: string; verifier: string },
  ): { readonly wish: CodeWish; readonly signIn: SignIn } | undefined
}

const DEVICE_SECONDS = 900
const CODE_SECONDS = 300
// Nobody fills the memory by asking.
const SESSIONS_MAX = 1000
// Without vowels, which make words, and letters that look like others.
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ'
const LETTERS_COUNT = 9

export function createUserSessions({ clock }: { readonly clock: Clock }): UserSessions {
  const devices = new Map<string, Device>()
  const codes = new Map<string, { wish: CodeWish; signIn: SignIn; expiresAt: number }>()
  const now = () => clock.now().getTime() / 1000

  function makeRoom(sessions: Map<string, { readonly expiresAt: number }>): void {
    for (const [key, { expiresAt }] of sessions) {
      if (expiresAt <= now() || sessions.size >= SESSIONS_MAX) sessions.delete(key)
    }
  }
  const alive = <T extends { readonly expiresAt: number }>(session: T | undefined) =>
    session && session.expiresAt > now() ? session : undefined
  const byUserCode = (typed: string) => {
    const userCode = typed.replace(/[\s-]/g, '').toUpperCase()
    return alive([...devices.values()].find((device) => device.userCode === userCode))
  }

  return {
    beginDevice(wish) {
      makeRoom(devices)
      const deviceCode = randomBytes(32).toString('base64url')
      const userCode = Array.from({ length: LETTERS_COUNT }, () =>
        LETTERS.charAt(randomInt(LETTERS.length)),
      ).join('')
      devices.set(deviceCode, { userCode, wish, expiresAt: now() + DEVICE_SECONDS })
      return { deviceCode, userCode, expiresInSeconds: DEVICE_SECONDS }
    },
    findDevice: (userCode) => byUserCode(userCode)?.wish,
    approveDevice(userCode, signIn) {
      const device = byUserCode(userCode)
      if (device) device.signIn = signIn
    },
    redeemDevice(deviceCode, clientId) {
      const device = alive(devices.get(deviceCode))
      if (!device || device.wish.clientId !== clientId) return undefined
      if (!device.signIn) return 'pending'
      devices.delete(deviceCode)
      return { wish: device.wish, signIn: device.signIn }
    },
    issueCode(wish, signIn) {
      makeRoom(codes)
      const code = randomBytes(32).toString('base64url')
      codes.set(code, { wish, signIn, expiresAt: now() + CODE_SECONDS })
      return code
    },
    redeemCode(code, { clientId, redirectUri, verifier }) {
      const session = alive(codes.get(code))
      // Whatever comes of it: a code that was shown is used.
      codes.delete(code)
      if (!session) return undefined
      const { wish } = session
      if (wish.clientId !== clientId || wish.redirectUri !== redirectUri) return undefined
      const hash = createHash('sha256').update(verifier).digest()
      const challenge = Buffer.from(wish.challenge, 'base64url')
      if (challenge.length !== hash.length || !timingSafeEqual(challenge, hash)) return undefined
      return session
    },
  }
}

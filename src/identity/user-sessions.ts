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
  polledAt: number
  answer?: SignIn | 'declined'
}

/** Why a device gets no token yet, or never. */
export type DeviceRefusal = 'pending' | 'too often' | 'declined' | 'expired' | 'unknown'

/** People who are between asking for a token and getting it. In memory: a restart makes them begin anew. */
export interface UserSessions {
  beginDevice(wish: Wish): {
    readonly deviceCode: string
    readonly userCode: string
    readonly expiresInSeconds: number
    /** How long the device waits before it asks again. */
    readonly intervalSeconds: number
  }
  /** What a client waits for under a code that a person typed, and nobody has answered yet. */
  findDevice(
    userCode: string,
  ): { readonly wish: Wish; answer(answer: SignIn | 'declined'): void } | undefined
  /** Once, and only for the client that began. */
  redeemDevice(
    deviceCode: string,
    clientId: string,
  ): { readonly wish: Wish; readonly signIn: SignIn } | DeviceRefusal
  issueCode(wish: CodeWish, signIn: SignIn): string
  /** Once, to who knows the verifier. */
  redeemCode(
    code: string,
    shown: { clientId: string; redirectUri: string; verifier: string },
  ): { readonly wish: CodeWish; readonly signIn: SignIn } | undefined
}

const DEVICE_SECONDS = 900
const INTERVAL_SECONDS = 1
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
  const isAlive = (session: { readonly expiresAt: number }) => session.expiresAt > now()

  return {
    beginDevice(wish) {
      makeRoom(devices)
      const deviceCode = randomBytes(32).toString('base64url')
      const userCode = Array.from({ length: LETTERS_COUNT }, () =>
        LETTERS.charAt(randomInt(LETTERS.length)),
      ).join('')
      devices.set(deviceCode, { userCode, wish, expiresAt: now() + DEVICE_SECONDS, polledAt: 0 })
      return {
        deviceCode,
        userCode,
        expiresInSeconds: DEVICE_SECONDS,
        intervalSeconds: INTERVAL_SECONDS,
      }
    },
    findDevice(typed) {
      const userCode = typed.replace(/[\s-]/g, '').toUpperCase()
      const device = [...devices.values()].find((each) => each.userCode === userCode)
      if (!device || !isAlive(device) || device.answer) return undefined
      return {
        wish: device.wish,
        answer(answer) {
          // The first answer stands: who types the same code later changes nothing.
          device.answer ??= answer
        },
      }
    },
    redeemDevice(deviceCode, clientId) {
      const device = devices.get(deviceCode)
      if (!device || device.wish.clientId !== clientId) return 'unknown'
      if (!isAlive(device)) return 'expired'
      const { answer, wish, polledAt } = device
      device.polledAt = now()
      // A device that is a little early is none that hammers.
      if (!answer) return now() - polledAt < INTERVAL_SECONDS / 2 ? 'too often' : 'pending'
      devices.delete(deviceCode)
      return answer === 'declined' ? 'declined' : { wish, signIn: answer }
    },
    issueCode(wish, signIn) {
      makeRoom(codes)
      const code = randomBytes(32).toString('base64url')
      codes.set(code, { wish, signIn, expiresAt: now() + CODE_SECONDS })
      return code
    },
    redeemCode(code, { clientId, redirectUri, verifier }) {
      const session = codes.get(code)
      // Whatever comes of it: a code that was shown is used.
      codes.delete(code)
      if (!session || !isAlive(session)) return undefined
      const { wish } = session
      if (wish.clientId !== clientId || wish.redirectUri !== redirectUri) return undefined
      const hash = createHash('sha256').update(verifier).digest()
      const challenge = Buffer.from(wish.challenge, 'base64url')
      if (challenge.length !== hash.length || !timingSafeEqual(challenge, hash)) return undefined
      return session
    },
  }
}

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/** Keeps secrets unreadable at rest. Sealing the same text twice gives two different results. */
export interface Sealer {
  seal(text: string): string
  /** @throws Error when the text was not sealed with this key, or was changed since. */
  unseal(sealed: string): string
}

// The prefix names the construction, so that a later one can be told apart.
const PREFIX = 'sealed1.'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Seals with AES-256-GCM; `key` has 32 bytes. */
export function createSealer(key: Buffer): Sealer {
  return {
    seal(text) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return PREFIX + Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')
    },

    unseal(sealed) {
      const bytes = Buffer.from(sealed.slice(PREFIX.length), 'base64url')
      if (!sealed.startsWith(PREFIX) || bytes.length < NONCE_BYTES + TAG_BYTES) {
        throw new Error('This is not a sealed text.')
      }
      const nonce = bytes.subarray(0, NONCE_BYTES)
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
      const body = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES))
      return Buffer.concat([body, decipher.final()]).toString('utf8')
    },
  }
}

import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose'
import { CannotStart } from '../lib/cannot-start.ts'
import { readOrCreate } from '../lib/durable-file.ts'

/** Every key that the identity and registry planes work with. Made once: tokens stay good over a restart. */
export interface Keys {
  /** RS256, as clients of the real authority expect it. */
  readonly signing: {
    readonly privateKey: KeyObject
    readonly publicKey: KeyObject
    readonly kid: string
    /** With `kid`, `use` and `alg`: as published. */
    readonly publicJwk: JWK
  }
  /** Seals secrets at rest; 32 bytes. */
  readonly sealing: Buffer
  /** Authenticates the registry's own tokens; 32 bytes. */
  readonly tokenKey: Buffer
  /** Authenticates signed blob URLs; 32 bytes. */
  readonly urlKey: Buffer
}

const FILE = 'keys.json'

/**
 * Opens the keys kept in `folder`, making them first if there are none.
 *
 * @throws Error naming the file when it is there but unusable.
 */
export async function openKeys(folder: string): Promise<Keys> {
  const file = join(folder, FILE)
  const text = await readOrCreate(file, makeKeys)
  try {
    return await parseKeys(text)
  } catch (error) {
    throw new CannotStart(`The keys in ${file} cannot be used; restore the file from a backup.`, {
      cause: error,
    })
  }
}

async function makeKeys(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  const secret = () => randomBytes(32).toString('base64url')
  return JSON.stringify({
    signing: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    sealing: secret(),
    token: secret(),
    url: secret(),
  })
}

async function parseKeys(text: string): Promise<Keys> {
  const stored = JSON.parse(text) as Record<string, unknown>
  const privateKey = createPrivateKey(textOf(stored, 'signing'))
  const publicKey = createPublicKey(privateKey)
  const jwk = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint(jwk)
  return {
    signing: { privateKey, publicKey, kid, publicJwk: { ...jwk, kid, use: 'sig', alg: 'RS256' } },
    sealing: secretOf(stored, 'sealing'),
    tokenKey: secretOf(stored, 'token'),
    urlKey: secretOf(stored, 'url'),
  }
}

function textOf(stored: Record<string, unknown>, name: string): string {
  const value = stored[name]
  if (typeof value !== 'string') throw new Error(`the key '${name}' is missing`)
  return value
}

function secretOf(stored: Record<string, unknown>, name: string): Buffer {
  const bytes = Buffer.from(textOf(stored, name), 'base64url')
  if (bytes.length !== 32) throw new Error(`the key '${name}' has ${bytes.length} bytes`)
  return bytes
}

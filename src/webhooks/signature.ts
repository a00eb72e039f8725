import { createHmac } from 'node:crypto'

export const SIGNATURE_HEADER = 'x-causeway-signature-256'

/** HMAC-SHA-256 over the bytes of the body, keyed with the secret as it is shown: `sha256=<hex>`. */
export const signatureOf = (secret: string, body: Uint8Array): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`

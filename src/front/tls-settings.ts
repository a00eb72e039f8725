import { DEFAULT_CIPHERS } from 'node:tls'

/** As strong as anybody can use, and the fastest where a processor knows AES; Node's own order begins with longer keys. */
const FIRST = 'TLS_AES_128_GCM_SHA256'

/** What every certificate is served with. */
export const TLS_SETTINGS = {
  minVersion: 'TLSv1.2',
  ciphers: [FIRST, ...DEFAULT_CIPHERS.split(':').filter((name) => name !== FIRST)].join(':'),
} as const

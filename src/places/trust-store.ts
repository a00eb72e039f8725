import { existsSync } from 'node:fs'

// Debian, Ubuntu, Alpine and Arch; Fedora and its kin; openSUSE.
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/var/lib/ca-certificates/ca-bundle.pem',
]

/** The machine's own trust stores, over which a program in a place sees that of places. */
export const systemBundles = (): readonly string[] =>
  SYSTEM_BUNDLES.filter((file) => existsSync(file))

/** Where a program in a place finds the trust store: a path that every user can read, where there is one. */
export const bundleInPlace = (caBundle: string): string => systemBundles()[0] ?? caBundle

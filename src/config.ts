import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** What the server runs with: flags and environment, read once, frozen. */
export interface Config {
  /** Absolute. Everything that Causeway keeps is in here. */
  readonly dataFolder: string
  /** Loopback port of the control plane and the authority; 0 takes a free one. */
  readonly port: number
  /** The last labels of every login server, without a leading dot. */
  readonly registryDomain: string
  readonly privateEndpointsPerRegistry: number
  readonly version: string
}

/** Flags as the command line has them. */
export interface Flags {
  readonly data?: string | undefined
  readonly port?: string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** A flag or a variable that cannot be used; the message says which and what would do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const DEFAULT_PORT = 7443

/** @throws ConfigError */
export function readConfig(flags: Flags, environment: Environment = process.env): Config {
  return Object.freeze({
    dataFolder: dataFolderOf(flags, environment),
    port: parsePort(flags.port),
    registryDomain: 'azurecr.io',
    // The service's limit today; the article's date says 10. Source: container-registry-skus, 2022-08.
    privateEndpointsPerRegistry: 200,
    version: packageVersion(),
  })
}

/** The variables of whoever called; the programs run in places get what is left of them. */
export const inheritedEnvironment = (): Environment => ({ ...process.env })

/** Who called through sudo, if anybody did: the user as whom programs in places run. */
export function sudoCaller(environment: Environment): { uid: number; gid: number } | undefined {
  const [uid, gid] = [Number(environment.SUDO_UID), Number(environment.SUDO_GID)]
  return Number.isInteger(uid) && Number.isInteger(gid) && uid > 0 ? { uid, gid } : undefined
}

export const preferredShell = (environment: Environment): string => environment.SHELL || '/bin/sh'

/** The version in the package's own description. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function dataFolderOf(flags: Flags, environment: Environment): string {
  const named = flags.data ?? environment.CAUSEWAY_DATA
  if (named !== undefined) {
    if (named.trim() === '') {
      throw new ConfigError(
        'The data folder has an empty name: give --data or CAUSEWAY_DATA a path.',
      )
    }
    return resolve(named)
  }
  if (process.geteuid?.() === 0) return '/var/lib/causeway'
  return join(environment.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'causeway')
}

function parsePort(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PORT
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65535) {
    throw new ConfigError(`'${text}' is not a port: give --port a number from 0 to 65535.`)
  }
  return port
}

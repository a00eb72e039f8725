import { readFileSync } from 'node:fs'
import { availableParallelism, homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { ConfigError } from './configuration/config-error.ts'
import type { ConfigFile } from './configuration/config-file.ts'
import { LOG_LEVELS, type LogLevel } from './configuration/log-levels.ts'
import { WORKERS_MAX } from './configuration/workers-max.ts'

/** An address beyond loopback, or any other, on which something listens. IPv4. */
export interface Listener {
  readonly address: string
  readonly port: number
}

/** What the server runs with: flags, environment and file, read once, frozen. */
export interface Config {
  /** Absolute. Everything that Causeway keeps is in here. */
  readonly dataFolder: string
  /** Loopback port of the control plane, the authority and registries; 0 takes a free one. */
  readonly port: number
  /** The last labels of every login server, without a leading dot, lower case; absent: those of the data folder. */
  readonly registryDomain?: string
  readonly registry: {
    /** Beyond loopback. */
    readonly listeners: readonly Listener[]
    /** Where clients find the listeners; empty: at their own addresses. */
    readonly advertisedAddresses: readonly string[]
  }
  readonly controlPlane: {
    /** Beyond loopback. */
    readonly listeners: readonly Listener[]
    /** The names by which it is served there, lower case. */
    readonly hostNames: readonly string[]
  }
  readonly names: {
    /** Loopback port of the resolver, UDP and TCP; 0 takes a free one. */
    readonly port: number
    /** Whether somebody asked for this very port: then its absence is no small matter. */
    readonly isPortAsked: boolean
    /** Beyond loopback, each for clients of these prefixes only. */
    readonly listeners: readonly (Listener & { readonly allowedClients: readonly string[] })[]
  }
  /** Plain http for probes. */
  readonly health: { readonly listeners: readonly Listener[] }
  /** Absolute paths, PEM. The first that has a name serves it. */
  readonly certificates: readonly { readonly chainFile: string; readonly keyFile: string }[]
  readonly logLevel: LogLevel
  /** What imports and cache rules may reach although it is private: CIDR prefixes and host names, lower case. */
  readonly egress: {
    readonly allow: readonly string[]
    /** PEM, absolute: authorities that are trusted besides the system's. */
    readonly authoritiesFile?: string
  }
  readonly cache: {
    /** After which a tag that came from elsewhere by a cache rule is looked after again. */
    readonly recheckSeconds: number
  }
  readonly keyVault: {
    /** Absolute: the values of the secrets that credential sets name. */
    readonly secretsFile?: string
  }
  /** How long events are kept. */
  readonly audit: { readonly retentionDays: number }
  readonly garbageCollection: {
    /** How long blobs stay that nothing needs, and uploaded ones that nothing needs yet. */
    readonly graceHours: number
    readonly intervalSeconds: number
  }
  readonly privateEndpointsPerRegistry: number
  /** How many processes serve registries; 0: the server itself. */
  readonly workers: number
  readonly version: string
}

/** Flags as the command line has them. */
export interface Flags {
  readonly data?: string | undefined
  readonly config?: string | undefined
  readonly port?: string | undefined
  readonly logLevel?: string | undefined
  readonly workers?: string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

const DEFAULT_PORT = 7443
const DEFAULT_NAMES_PORT = 7453
const DEFAULT_LOG_LEVEL = 'info'
// Longer than any push takes between its first layer and its manifest.
const DEFAULT_GRACE_HOURS = 24
const DEFAULT_COLLECTION_SECONDS = 60
// The service's limit today; the article's date says 10. Source: container-registry-skus, 2022-08.
const DEFAULT_ENDPOINTS_PER_REGISTRY = 200
const DEFAULT_WORKERS = 'auto'
/** Of `auto`: who needs more than that says how many. */
const AUTO_WORKERS_MAX = 4
const DEFAULT_AUDIT_DAYS = 90

// What the service's people say of it: https://github.com/Azure/acr/issues/860
const DEFAULT_RECHECK_SECONDS = 300

/** A flag goes before the environment, that before the file, that before the default. @throws ConfigError */
export async function readConfig(
  flags: Flags,
  environment: Environment = process.env,
): Promise<Config> {
  const { file, folder } = await findFile(flags, environment)
  const { registryDomain, registry, controlPlane, names, health, certificates, egress } = file
  const { cache, keyVault } = file
  const port = flags.port === undefined ? (file.port ?? DEFAULT_PORT) : parsePort(flags.port)
  return Object.freeze({
    dataFolder: dataFolderOf(
      flags,
      environment,
      file.dataFolder && resolve(folder, file.dataFolder),
    ),
    port,
    ...(registryDomain !== undefined && { registryDomain: registryDomain.toLowerCase() }),
    registry: {
      listeners: registry?.listeners ?? [],
      advertisedAddresses: registry?.advertisedAddresses ?? [],
    },
    controlPlane: {
      listeners: controlPlane?.listeners ?? [],
      hostNames: (controlPlane?.hostNames ?? []).map((name) => name.toLowerCase()),
    },
    names: {
      // Who wants no certain port for the one wants none for the other.
      port: names?.port ?? (port === 0 ? 0 : DEFAULT_NAMES_PORT),
      isPortAsked: names?.port !== undefined,
      listeners: names?.listeners ?? [],
    },
    health: { listeners: health?.listeners ?? [] },
    certificates: (certificates ?? []).map(({ chainFile, keyFile }) => ({
      chainFile: resolve(folder, chainFile),
      keyFile: resolve(folder, keyFile),
    })),
    logLevel: logLevelOf(flags, environment) ?? file.logLevel ?? DEFAULT_LOG_LEVEL,
    egress: {
      allow: (egress?.allow ?? []).map((target) => target.toLowerCase()),
      ...(egress?.authoritiesFile && { authoritiesFile: resolve(folder, egress.authoritiesFile) }),
    },
    cache: { recheckSeconds: cache?.recheckSeconds ?? DEFAULT_RECHECK_SECONDS },
    keyVault: {
      ...(keyVault?.secretsFile && { secretsFile: resolve(folder, keyVault.secretsFile) }),
    },
    audit: { retentionDays: file.audit?.retentionDays ?? DEFAULT_AUDIT_DAYS },
    garbageCollection: {
      graceHours: file.garbageCollection?.graceHours ?? DEFAULT_GRACE_HOURS,
      intervalSeconds: file.garbageCollection?.intervalSeconds ?? DEFAULT_COLLECTION_SECONDS,
    },
    privateEndpointsPerRegistry: file.privateEndpointsPerRegistry ?? DEFAULT_ENDPOINTS_PER_REGISTRY,
    workers: workersOf(flags, environment, file.workers),
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

/** The configuration file that is named, if any; `folder` is what relative paths in it begin at. */
async function findFile(
  flags: Flags,
  environment: Environment,
): Promise<{ file: ConfigFile; folder: string }> {
  const named = flags.config ?? environment.CAUSEWAY_CONFIG
  if (named === undefined) return { file: {}, folder: '.' }
  if (named.trim() === '') {
    throw new ConfigError(
      'The configuration file has an empty name: give --config or CAUSEWAY_CONFIG a path.',
    )
  }
  const path = resolve(named)
  // Most commands are called without one, and need not wait for what reads it.
  const { readConfigFile } = await import('./configuration/read-config-file.ts')
  return { file: readConfigFile(path), folder: dirname(path) }
}

function dataFolderOf(
  flags: Flags,
  environment: Environment,
  configured: string | undefined,
): string {
  const named = flags.data ?? environment.CAUSEWAY_DATA
  if (named !== undefined) {
    if (named.trim() === '') {
      throw new ConfigError(
        'The data folder has an empty name: give --data or CAUSEWAY_DATA a path.',
      )
    }
    return resolve(named)
  }
  if (configured !== undefined) return configured
  if (process.geteuid?.() === 0) return '/var/lib/causeway'
  return join(environment.XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'causeway')
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65535) {
    throw new ConfigError(`'${text}' is not a port: give --port a number from 0 to 65535.`)
  }
  return port
}

function workersOf(
  flags: Flags,
  environment: Environment,
  configured: number | 'auto' | undefined,
): number {
  const text =
    flags.workers ?? environment.CAUSEWAY_WORKERS ?? String(configured ?? DEFAULT_WORKERS)
  if (text === 'auto') return workersFor(availableParallelism())
  if (/^\d{1,2}$/.test(text) && Number(text) <= WORKERS_MAX) return Number(text)
  throw new ConfigError(
    `'${text}' is not a number of workers: give --workers or CAUSEWAY_WORKERS one from 0 to ${WORKERS_MAX}, or auto.`,
  )
}

/** One for each core; none for a single one, which they would only have to share with the server. */
export const workersFor = (cores: number): number =>
  cores === 1 ? 0 : Math.min(cores, AUTO_WORKERS_MAX)

function logLevelOf(flags: Flags, environment: Environment): LogLevel | undefined {
  const named = flags.logLevel ?? environment.CAUSEWAY_LOG_LEVEL
  const level = LOG_LEVELS.find((known) => known === named)
  if (named === undefined || level) return level
  throw new ConfigError(
    `'${named}' is not a log level: give --log-level or CAUSEWAY_LOG_LEVEL one of ${LOG_LEVELS.join(', ')}.`,
  )
}

import { inheritedEnvironment, readConfig } from '../config.ts'
import type { HostProgram, HostRequest, ServerStatus } from '../operator/contract.ts'
import { hasRootsRights } from '../places/rights.ts'
import { type DataFolder, describeDataFolder } from '../storage/data-folder.ts'
import { reachOf } from './az-reach.ts'
import { azCommand, azInPlace, azOnHost } from './az-set-up.ts'
import { asCaller, findCaller } from './caller.ts'
import { CommandError } from './command-error.ts'
import { run, runInPlace } from './exec.ts'
import { handOverHome } from './hand-over-home.ts'
import { createOperatorClient, type OperatorClient } from './operator-client.ts'

interface Flags {
  readonly data?: string
  readonly as?: string
}

/**
 * Runs az, signed in to Causeway with a configuration of its own: on the host where the command is known to ask the
 * control plane only, else in the `internet` place. The exit code is az's own.
 */
export async function az(words: readonly string[], flags: Flags): Promise<number> {
  if (inheritedEnvironment().CAUSEWAY_PLACE !== undefined) {
    throw new CommandError("This is a place, where az itself leads to Causeway: call 'az'.")
  }
  const folder = await describeDataFolder((await readConfig(flags)).dataFolder)
  const server = createOperatorClient(folder.operatorSocket, folder.path)
  const status = await server.call<ServerStatus>('GET', '/status')
  if (reachOf(words) === 'host') return runOnHost(words, flags, { server, status, folder })

  const { placesUnavailable: reason } = status
  if (reason) {
    throw new CommandError(
      `'${['az', ...words.slice(0, 2)].join(' ')}' may reach a registry, and so runs in the internet place only. ` +
        `There are no places: ${reason.cause} ${reason.cure}`,
    )
  }
  return runInPlace({ ...flags, internet: true }, async (attached, caller) => {
    const { home, credentials } = attached
    const name = flags.as ?? 'the owner'
    const inherited = caller.environment
    return {
      command: await azCommand(words),
      environment: azInPlace({ name, home, credentials, inherited }),
    }
  })
}

async function runOnHost(
  words: readonly string[],
  flags: Flags,
  {
    server,
    status,
    folder,
  }: {
    readonly server: OperatorClient
    readonly status: ServerStatus
    readonly folder: DataFolder
  },
): Promise<number> {
  const caller = await findCaller()
  const request: HostRequest = {
    as: flags.as,
    uid: caller.uid ?? process.getuid?.() ?? 0,
    gid: caller.gid ?? process.getgid?.() ?? 0,
  }
  const { first: program, close } = await server.hold<HostProgram>('/host-programs', request)
  try {
    if (hasRootsRights()) await handOverHome(program.home, request, folder)
    const [file = '', ...args] = [...asCaller(caller), ...(await azCommand(words))]
    const { name, home, credentials } = program
    const { urls, authorities, registryDomain } = status
    const environment = azOnHost({
      ...{ name, home, credentials, urls, registryDomain },
      ca: authorities.host,
      inherited: caller.environment,
    })
    return await run({ file, args }, environment)
  } finally {
    close()
  }
}

import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inheritedEnvironment, preferredShell, readConfig } from '../config.ts'
import type { Attached, AttachRequest } from '../operator/contract.ts'
import { enterCommand, type ProgramUser } from '../places/enter.ts'
import { placeEnvironment } from '../places/place-environment.ts'
import { hasRootsRights } from '../places/rights.ts'
import { describeDataFolder } from '../storage/data-folder.ts'
import { type Caller, findCaller } from './caller.ts'
import { CommandError } from './command-error.ts'
import { handOverHome } from './hand-over-home.ts'
import { markedShell } from './marked-shell.ts'
import { openPlace } from './open-place.ts'
import { createOperatorClient } from './operator-client.ts'

export interface ExecFlags {
  readonly data?: string
  readonly vnet?: string
  readonly resourceGroup?: string
  readonly subnet?: string
  readonly internet?: boolean
  readonly as?: string
  readonly root?: boolean
}

type ProgramOf = (
  attached: Attached,
  caller: Caller,
) => Promise<{
  readonly command: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
}>

/** Runs a program in a place and returns its exit code; 128 + n when signal n ended it. */
export const exec = (flags: ExecFlags, command: readonly string[]): Promise<number> =>
  runInPlace(flags, async () => ({ command }))

/** Opens the caller's shell in a place; its prompt names the place. */
export const shell = (flags: ExecFlags): Promise<number> =>
  runInPlace(flags, async (attached, caller) => {
    const program = preferredShell(caller.environment)
    const mark = `(${attached.placeName} ${attached.address}) `
    if (basename(program) !== 'bash') return markedShell(program, mark)
    return {
      command: [program, '--rcfile', PROMPT, '-i'],
      environment: { CAUSEWAY_PROMPT: mark },
    }
  })

// bash reads its prompt from the user's own start file, so the mark is put on after that.
const PROMPT = fileURLToPath(new URL('./prompt.bash', import.meta.url))

/** Attaches, asks what is to run, and runs it; the exit code is the program's. */
export async function runInPlace(flags: ExecFlags, programOf: ProgramOf): Promise<number> {
  const where = whereOf(flags)
  const config = await readConfig(flags)
  const folder = await describeDataFolder(config.dataFolder)
  const caller: Caller = flags.root
    ? { uid: 0, gid: 0, environment: inheritedEnvironment() }
    : await findCaller()
  const request: AttachRequest = {
    where,
    as: flags.as,
    uid: caller.uid ?? process.getuid?.() ?? 0,
    gid: caller.gid ?? process.getgid?.() ?? 0,
  }
  const server = createOperatorClient(folder.operatorSocket, folder.path)
  const { first: attached, close } = await server.hold<Attached>('/attachments', request)
  try {
    const { command, environment } = await programOf(attached, caller)
    const [program = '', ...args] = command
    const place = await openPlace(attached, folder)
    try {
      if (hasRootsRights()) await handOverHome(attached.home, request, folder)
      const entered = enterCommand(
        { entry: place.entry, files: attached.files },
        { command: program, args, user: userOf(caller, flags) },
      )
      const variables = placeEnvironment({
        caBundle: attached.files.caBundle,
        home: attached.home,
        credentials: attached.credentials,
        inherited: caller.environment,
      })
      const own = { CAUSEWAY_PLACE: attached.placeName, ...environment }
      return await run({ ...entered, open: place.files }, { ...variables, ...own })
    } finally {
      await place.close()
    }
  } finally {
    close()
  }
}

function userOf({ uid = 0, gid = 0, groups }: Caller, flags: ExecFlags): ProgramUser {
  if (hasRootsRights()) return { as: 'user of the machine', uid, gid, groups }
  return { as: flags.root ? 'root of the place' : 'owner' }
}

function whereOf(flags: ExecFlags): AttachRequest['where'] {
  const { vnet, internet, subnet, resourceGroup } = flags
  if (internet && vnet !== undefined) {
    throw new CommandError('Give either --vnet or --internet, not both.', 2)
  }
  if (internet && (subnet !== undefined || resourceGroup !== undefined)) {
    throw new CommandError('--subnet and --resource-group say where in a network: add --vnet.', 2)
  }
  if (internet) return { internet: true }
  if (vnet === undefined) {
    throw new CommandError(
      "Say where: --vnet NAME or --internet; 'causeway status' lists the places.",
      2,
    )
  }
  return { network: vnet, subnet, resourceGroup }
}

/** Runs a program with this terminal, and with these files open from 3 on; 128 + n when signal n ended it. */
export function run(
  entered: {
    readonly file: string
    readonly args: readonly string[]
    readonly open?: readonly number[]
  },
  environment: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    // The terminal sends Ctrl-C to the program as well; it decides what that means.
    const ignore = () => {}
    const forward = (signal: NodeJS.Signals) => void child.kill(signal)
    // Before there is a program: one that comes in between must not leave it alone.
    process.on('SIGINT', ignore).on('SIGTERM', forward).on('SIGHUP', forward)
    const child = spawn(entered.file, [...entered.args], {
      stdio: ['inherit', 'inherit', 'inherit', ...(entered.open ?? [])],
      env: environment,
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      process.off('SIGINT', ignore).off('SIGTERM', forward).off('SIGHUP', forward)
      resolve(signal ? 128 + constants.signals[signal] : (code ?? 1))
    })
  })
}

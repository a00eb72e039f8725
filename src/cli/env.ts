import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { inheritedEnvironment, readConfig } from '../config.ts'
import type { DescribedPrincipal, ServerStatus } from '../operator/contract.ts'
import { describeDataFolder } from '../storage/data-folder.ts'
import { CommandError } from './command-error.ts'
import { createOperatorClient } from './operator-client.ts'
import { print, printJson } from './terminal.ts'
import { toolVariables } from './tool-variables.ts'

interface Flags {
  readonly data?: string
  readonly as?: string
  readonly secretFile?: string
  readonly shell: string
  readonly json?: boolean
}

/** Prints what the caller's shell must evaluate so that SDKs and Terraform on this host work with Causeway. */
export async function env(flags: Flags): Promise<number> {
  try {
    return await printVariables(flags)
  } catch (error) {
    // What evaluates this must fail as well, and not go on with whatever cloud it had before.
    if (!flags.json) print('false')
    throw error
  }
}

async function printVariables(flags: Flags): Promise<number> {
  if (flags.secretFile !== undefined && flags.as === undefined) {
    throw new CommandError("--secret-file holds somebody's secret: say whose with --as.", 2)
  }
  const folder = await describeDataFolder((await readConfig(flags)).dataFolder)
  const server = createOperatorClient(folder.operatorSocket, folder.path)
  const status = await server.call<ServerStatus>('GET', '/status')
  const { as, secretFile } = flags
  const principal =
    as === undefined
      ? undefined
      : await server.call<DescribedPrincipal>('GET', `/principals/${encodeURIComponent(as)}`)
  const secret = secretFile === undefined ? undefined : await readSecret(resolve(secretFile))
  const variables = toolVariables({
    status,
    ...(principal && { clientId: principal.appId }),
    ...(secret && { secret }),
    inherited: inheritedEnvironment(),
  })
  if (flags.json) printJson(variables)
  else for (const [name, value] of Object.entries(variables)) print(line(flags.shell, name, value))
  return 0
}

async function readSecret(file: string): Promise<{ readonly file: string; readonly text: string }> {
  const unreadable = (error: Error) => {
    throw new CommandError(`The secret cannot be read: ${error.message}`)
  }
  const { mode } = await stat(file).catch(unreadable)
  if (mode & 0o077) {
    throw new CommandError(`Others than you can read ${file}: 'chmod 600' it first.`)
  }
  const text = (await readFile(file, 'utf8').catch(unreadable)).trim()
  if (text === '' || text.includes('\n')) {
    throw new CommandError(`${file} is to hold a secret and nothing else, in one line.`)
  }
  return { file, text }
}

/** A command of the shell: `sh` and its kin, or `fish`. */
function line(shell: string, name: string, value: string | null): string {
  if (shell === 'fish') {
    return value === null ? `set -e ${name};` : `set -gx ${name} ${quoteForFish(value)};`
  }
  return value === null ? `unset ${name}` : `export ${name}=${quoteForSh(value)}`
}

const quoteForSh = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
const quoteForFish = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`

import { chmod, chown, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { CannotStart } from '../lib/cannot-start.ts'
import { exists } from '../lib/exists.ts'
import { findHolder, startHolder } from '../places/holder.ts'
import { COMMAND_ENVIRONMENT, CommandFailed, runCommand } from '../places/run-command.ts'
import { describeDataFolder, refuseLongPath } from '../storage/data-folder.ts'
import { asOwner, environmentOf, type Owner, ownerOf } from './owner.ts'

const PORTS_OF_ROOT = 1024

/**
 * What `up` does with root's rights, and all it does: it makes the data folder, and a user namespace in which the
 * owner may have networks. Then this process becomes one of the owner, with none of root's rights, and begins again.
 *
 * @throws CannotStart
 */
export async function serveAsOwner(config: Config): Promise<never> {
  const owner = await ownerOf(config.dataFolder)
  refuseLongPath(await describeDataFolder(config.dataFolder))
  await refuseUnreadable(owner)
  await prepareFolder(config.dataFolder, owner)
  await prepareHolder(config.dataFolder, owner)
  const rights = portsOf(config).some(isRoots) ? ['net_bind_service'] : []
  const [setpriv = '', ...identity] = asOwner(owner, rights)
  const [, program = '', ...args] = process.argv
  process.execve?.(
    await pathOf(setpriv),
    [setpriv, ...identity, process.execPath, ...process.execArgv, program, ...args],
    environmentOf(owner, { CAUSEWAY_DATA: config.dataFolder }),
  )
  throw new CannotStart('This Node cannot replace itself: start Causeway as bin/causeway does.')
}

const isRoots = (port: number): boolean => port > 0 && port < PORTS_OF_ROOT

const portsOf = ({ port, names, registry, controlPlane, health }: Config): readonly number[] => [
  port,
  names.port,
  ...[names, registry, controlPlane, health].flatMap(({ listeners }) =>
    listeners.map((listener) => listener.port),
  ),
]

/** The owner goes on with this very program, which may lie where only others can read. */
async function refuseUnreadable(owner: Owner): Promise<void> {
  if (owner.uid === 0) return
  const [file = '', ...identity] = asOwner(owner)
  const files = [process.argv[1] ?? '', process.execPath]
  const script = 'test -r "$1" && test -x "$2"'
  await runCommand(file, [...identity, 'sh', '-c', script, 'sh', ...files]).catch((cause) => {
    throw new CannotStart(
      `User ${owner.uid}, who owns the data folder and is to serve it, cannot read ${files.join(' and ')}: install Causeway where everybody can read it, or name a data folder of another user with --data.`,
      { cause },
    )
  })
}

async function prepareFolder(path: string, owner: Owner): Promise<void> {
  try {
    if (!(await exists(path))) {
      await mkdir(path, { recursive: true, mode: 0o755 })
      await chown(path, owner.uid, owner.gid)
    }
    // Programs that root starts in places as other users pass through it, and cannot read it.
    await chmod(path, 0o711)
  } catch (error) {
    throw new CannotStart(
      `The data folder ${path} cannot be made (${(error as Error).message}): mend that, or name another with --data.`,
      { cause: error },
    )
  }
}

/**
 * Starts the holder for the owner, to whom the kernel may forbid user namespaces that root may have. Where root may not
 * have them either, the server says so.
 */
async function prepareHolder(path: string, owner: Owner): Promise<void> {
  const { run } = await describeDataFolder(path)
  if (!(await exists(run))) {
    // At a path that is the owner's root makes nothing by itself.
    const [file = '', ...identity] = asOwner(owner)
    await runCommand(file, [...identity, 'mkdir', '--parents', '--mode=700', run])
  }
  if (await findHolder(run)) return
  await startHolder(run, asOwner(owner, ['sys_admin', 'setfcap'])).catch((error) => {
    if (!(error instanceof CommandFailed)) throw error
  })
}

async function pathOf(command: string): Promise<string> {
  for (const folder of COMMAND_ENVIRONMENT.PATH?.split(':') ?? []) {
    const file = join(folder, command)
    if (await exists(file)) return file
  }
  throw new CannotStart(`${command} is missing: install util-linux.`)
}

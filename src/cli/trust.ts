import { join } from 'node:path'
import { stderr, stdin } from 'node:process'
import { createInterface } from 'node:readline/promises'
import {
  distrust,
  findMachineTrust,
  isTrusted,
  type MachineTrust,
  trust,
} from '../care/machine-trust.ts'
import { readTrustAnchor, type TrustAnchor, Untrustworthy } from '../care/trust-anchor.ts'
import { readConfig } from '../config.ts'
import { readIfPresent } from '../lib/durable-file.ts'
import { type DataFolder, describeDataFolder } from '../storage/data-folder.ts'
import { CommandError } from './command-error.ts'
import { faint, print, strong } from './terminal.ts'

interface Flags {
  readonly data?: string
  readonly remove?: boolean
  readonly yes?: boolean
}

/** Puts the host's certificate authority, and never that of places, into the machine's trust store, or takes it out. */
export async function trustCommand(flags: Flags): Promise<number> {
  const folder = await describeDataFolder((await readConfig(flags)).dataFolder)
  const store = await findMachineTrust(folder.mark)
  if (flags.remove) return remove(store, folder)

  const anchor = await readHostAuthority(folder)
  describe(anchor)
  if (!store) {
    throw new CommandError(
      'There is neither update-ca-certificates nor update-ca-trust here: ' +
        `tell this machine by its own means to trust ${hostAuthority(folder)}.`,
    )
  }
  if (await isTrusted(anchor.certificate)) {
    print('This machine trusts it already.')
    return 0
  }
  mustBeRoot(folder)
  if (!flags.yes && !(await isAgreed())) {
    print('Nothing was changed.')
    return 1
  }
  await trust(store, anchor.certificate).catch(failedToUpdate)
  print(`Trusted, by ${store.file}. ${faint('Programs that run already may have to start again.')}`)
  return 0
}

async function remove(store: MachineTrust | undefined, folder: DataFolder): Promise<number> {
  mustBeRoot(folder)
  const removed = store && (await distrust(store).catch(failedToUpdate))
  print(
    removed
      ? `Removed ${store.file}; the trust store is as it was before.`
      : `This machine was not told to trust the authority of ${folder.path}.`,
  )
  return 0
}

const hostAuthority = ({ authorities }: DataFolder): string => join(authorities, 'host-ca.pem')

async function readHostAuthority(folder: DataFolder): Promise<TrustAnchor> {
  const file = hostAuthority(folder)
  const certificate = await readIfPresent(file)
  if (certificate === undefined) {
    throw new CommandError(
      `There is no certificate authority in ${folder.path}: 'causeway up' makes it.`,
    )
  }
  try {
    const anchor = readTrustAnchor(certificate)
    const ofPlaces = await readIfPresent(join(folder.authorities, 'place-ca.pem'))
    if (ofPlaces !== undefined && readTrustAnchor(ofPlaces).fingerprint === anchor.fingerprint) {
      throw new Untrustworthy(
        'It is the authority of places, which signs names of the public cloud.',
      )
    }
    return anchor
  } catch (error) {
    if (!(error instanceof Untrustworthy)) throw error
    throw new CommandError(`${file} is not to be trusted. ${error.message}`, 1, { cause: error })
  }
}

function describe({ subject, fingerprint, validUntil, permitted }: TrustAnchor): void {
  for (const [label, value] of [
    ['subject', subject],
    ['SHA-256', fingerprint],
    ['valid until', validUntil.toISOString().slice(0, 10)],
    ['signs only', permitted.join(', ')],
  ] as const) {
    print(`${strong(label.padEnd(13))}${value}`)
  }
}

function mustBeRoot({ path }: DataFolder): void {
  if (process.geteuid?.() === 0) return
  throw new CommandError(
    `The trust store of a machine is root's: call 'sudo causeway trust --data ${path}'.`,
  )
}

async function isAgreed(): Promise<boolean> {
  if (!stdin.isTTY) {
    throw new CommandError('Nobody can be asked without a terminal: --yes says that it is meant.')
  }
  const terminal = createInterface({ input: stdin, output: stderr })
  try {
    const answer = await terminal.question('Shall every program on this machine trust it? [y/N] ')
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}

function failedToUpdate(error: Error): never {
  throw new CommandError(`The trust store could not be updated: ${error.message}`, 1, {
    cause: error,
  })
}

import { stderr } from 'node:process'
import { readConfig } from '../config.ts'
import type { ScrubProgress, ScrubRequest } from '../operator/contract.ts'
import { describeDataFolder } from '../storage/data-folder.ts'
import { CommandError } from './command-error.ts'
import { inUnits } from './in-units.ts'
import { createOperatorClient } from './operator-client.ts'
import { bad, faint, good, print, printJson, table } from './terminal.ts'

const MIB = 2 ** 20

/**
 * Has the server read every blob again, and shows how far it has come; interrupted, the next call goes on. Exit code 1
 * where blobs are damaged.
 */
export async function scrub(flags: {
  data?: string
  rate: string
  restart?: boolean
  json?: boolean
}): Promise<number> {
  const rate = Number(flags.rate)
  if (!(rate > 0)) {
    throw new CommandError(`'${flags.rate}' is not a rate: give --rate a number of MiB/s.`, 2)
  }
  const folder = await describeDataFolder((await readConfig(flags)).dataFolder)
  const server = createOperatorClient(folder.operatorSocket, folder.path)
  const ask: ScrubRequest = { bytesPerSecond: rate * MIB }
  const step = (request: ScrubRequest) => server.call<ScrubProgress>('POST', '/scrub', request)

  let progress = await step(flags.restart ? { ...ask, restarts: true } : ask)
  while (progress.finishedAt === undefined) {
    showProgress(progress)
    progress = await step(ask)
  }
  if (stderr.isTTY) stderr.write('\r\x1b[K')
  if (flags.json) printJson(progress)
  else describe(progress)
  return progress.damaged.length === 0 ? 0 : 1
}

function showProgress({ blobs, allBlobs, bytes, allBytes }: ScrubProgress): void {
  if (!stderr.isTTY) return
  const text = `${blobs} of ${allBlobs} blobs, ${inUnits(bytes)} of ${inUnits(allBytes)}`
  stderr.write(`\r\x1b[K${text}`)
}

function describe({ blobs, bytes, startedAt, damaged }: ScrubProgress): void {
  const read = `Read ${blobs} blobs, ${inUnits(bytes)}, since ${startedAt}`
  if (damaged.length === 0) {
    print(`${good('✓')} ${read}: each has the bytes of its digest.`)
    return
  }
  print(`${bad('✗')} ${read}: ${damaged.length} damaged.`)
  print(
    table(
      ['DIGEST', 'WHAT', 'FOUND', 'OF'],
      damaged.map(({ digest, kind, foundAt, in: repositories }) => [
        digest,
        kind === 'mismatch' ? 'other bytes, set aside' : 'missing',
        foundAt,
        repositories.join(' ') || '-',
      ]),
    ),
  )
  print(
    faint('Push an image that has it again, or copy it from another registry: that repairs it.'),
  )
}

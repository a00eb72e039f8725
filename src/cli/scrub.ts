import { stderr } from 'node:process'
import { readConfig } from '../config.ts'
import type { DamagedBlob, ScrubProgress, ScrubRequest } from '../operator/contract.ts'
import { describeDataFolder } from '../storage/data-folder.ts'
import { CommandError } from './command-error.ts'
import { inUnits } from './in-units.ts'
import { createOperatorClient } from './operator-client.ts'
import { bad, faint, good, print, printJson, table } from './terminal.ts'

const MIB = 2 ** 20

/**
 * Has the server read every blob again in every region, and shows how far it has come; interrupted, the next call goes on.
 * Exit code 1 where something was found.
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
  return isFine(progress) ? 0 : 1
}

const isFine = ({ damaged, repaired, unreadRegions }: ScrubProgress): boolean =>
  damaged.length + repaired.length + unreadRegions.length === 0

function showProgress({ blobs, allBlobs, bytes, allBytes }: ScrubProgress): void {
  if (!stderr.isTTY) return
  const text = `${blobs} of ${allBlobs} blobs, ${inUnits(bytes)} of ${inUnits(allBytes)}`
  stderr.write(`\r\x1b[K${text}`)
}

function describe(progress: ScrubProgress): void {
  const { blobs, bytes, startedAt, damaged, repaired, unreadRegions } = progress
  const read = `Read ${blobs} blobs, ${inUnits(bytes)}, since ${startedAt}`
  if (isFine(progress)) {
    print(`${good('✓')} ${read}: each has the bytes of its digest.`)
    return
  }
  const mended = repaired.length === 0 ? '' : `, ${repaired.length} repaired`
  print(
    `${damaged.length === 0 ? good('✓') : bad('✗')} ${read}: ${damaged.length} damaged${mended}.`,
  )
  if (damaged.length + repaired.length > 0) {
    const rows = [
      ...damaged.map((each) => rowOf(each, each.region === HOME ? 'damaged' : 'is copied again')),
      ...repaired.map((each) => rowOf(each, `repaired ${each.repairedAt}`)),
    ]
    print(table(['REGION', 'DIGEST', 'WHAT', 'FOUND', 'NOW', 'OF'], rows))
  }
  for (const region of unreadRegions) {
    print(bad(`The blobs of ${region} could not be read: 'causeway logs' tells why.`))
  }
  if (damaged.some(({ region }) => region === HOME)) {
    print(
      faint('Push an image that has it again, or copy it from another registry: that repairs it.'),
    )
  }
}

/** As the server names it. */
const HOME = 'home'

const rowOf = ({ region, digest, kind, foundAt, in: repositories }: DamagedBlob, now: string) => [
  region,
  digest,
  kind === 'mismatch' ? 'other bytes, set aside' : 'missing',
  foundAt,
  now,
  repositories.join(' ') || '-',
]

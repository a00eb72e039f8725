import { readConfig } from '../config.ts'
import type { Collected, GarbageCandidate } from '../operator/contract.ts'
import { describeDataFolder } from '../storage/data-folder.ts'
import { inUnits } from './in-units.ts'
import { createOperatorClient } from './operator-client.ts'
import { print, printJson, table } from './terminal.ts'

/** In the words of the person who reads the table. */
const WHY: Readonly<Record<string, string>> = {
  untagged: 'has no tag',
  'soft-deleted': 'was deleted, can be restored until then',
  unused: 'no manifest has needed it yet',
  'manifest-deleted': 'no manifest needs it any more',
  'blob-deleted': 'was deleted',
  'repository-deleted': 'its repository was deleted',
  'registry-deleted': 'its registry was deleted',
  'no-owner': 'no repository has it',
}

/** Removes what nothing needs and whose time is over, or tells what would be. */
export async function gc(flags: {
  data?: string
  dryRun?: boolean
  grace: boolean
  json?: boolean
}): Promise<number> {
  const folder = await describeDataFolder((await readConfig(flags)).dataFolder)
  const server = createOperatorClient(folder.operatorSocket, folder.path)
  if (flags.dryRun) {
    const candidates = await server.call<GarbageCandidate[]>('GET', '/garbage')
    if (flags.json) printJson(candidates)
    else describeCandidates(candidates)
    return 0
  }
  const ignoresGrace = !flags.grace
  const done = await server.call<Collected>('POST', '/garbage/collections', { ignoresGrace })
  if (flags.json) printJson(done)
  else describeDone(done)
  return 0
}

function describeCandidates(candidates: readonly GarbageCandidate[]): void {
  if (candidates.length === 0) {
    print('There is nothing that is not needed.')
    return
  }
  print(
    table(
      ['DIGEST', 'WHAT', 'SIZE', 'OF', 'WHY', 'SINCE', 'DUE'],
      candidates.map(({ digest, kind, size, from, reason, since, due }) => [
        digest,
        kind,
        inUnits(size),
        from ?? '-',
        WHY[reason] ?? reason,
        toTheSecond(since),
        toTheSecond(due),
      ]),
    ),
  )
}

function describeDone(done: Collected): void {
  const { untaggedManifests, purgedManifests, unlinkedBlobs, removedBlobs, removedBytes } = done
  print(`Removed ${counted(removedBlobs, 'blob')}, ${inUnits(removedBytes)}.`)
  if (done.removedCopies > 0) {
    print(
      `${done.removedCopies === 1 ? '1 copy' : `${done.removedCopies} copies`} removed from further regions.`,
    )
  }
  if (unlinkedBlobs > 0) {
    print(`${counted(unlinkedBlobs, 'blob')} taken from repositories that do not need them.`)
  }
  if (untaggedManifests > 0)
    print(`${counted(untaggedManifests, 'manifest')} without a tag deleted.`)
  if (purgedManifests > 0) {
    print(`${counted(purgedManifests, 'manifest')} deleted before and now for good.`)
  }
  if (done.held) print('A backup is being made: what is left is removed after it.')
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

const toTheSecond = (time: string): string => time.replace(/\.\d+Z$/, 'Z')

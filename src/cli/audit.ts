import { stdout } from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { readConfig } from '../config.ts'
import type { AuditAnswer, AuditRequest } from '../operator/contract.ts'
import { describeDataFolder } from '../storage/data-folder.ts'
import { describeEvent, type EventColumns, HEADING } from './audit-line.ts'
import { CommandError } from './command-error.ts'
import { createOperatorClient, type OperatorClient } from './operator-client.ts'
import { print, strong } from './terminal.ts'
import { timeBefore } from './time-before.ts'

const LINES = 100
const PAGE = 1000
const LOOK_AGAIN_MS = 500

interface Flags {
  readonly data?: string
  readonly registry?: string
  readonly repository?: string
  readonly since?: string
  readonly table?: AuditRequest['table']
  readonly lines?: string
  readonly follow?: boolean
  readonly json?: boolean
}

/** Prints what was done to registries: the last events, or all since a time; in the order in which they were written. */
export async function audit(flags: Flags): Promise<number> {
  const { lines, json, follow } = flags
  if (lines !== undefined && !/^\d{1,9}$/.test(lines)) {
    throw new CommandError(`'${lines}' is not a number of events: give --lines 0 or more.`, 2)
  }
  const filter = filterOf(flags, new Date())
  const folder = await describeDataFolder((await readConfig(flags)).dataFolder)
  const trail = openTrail(createOperatorClient(folder.operatorSocket, folder.path), filter)
  let isRead = true
  stdout.once('error', () => {
    isRead = false
  })
  if (!json) print(strong(HEADING))
  const show = (event: EventColumns) => print(json ? JSON.stringify(event) : describeEvent(event))

  const start =
    lines === undefined && filter.since !== undefined
      ? await trail.upwards(0, show, () => isRead)
      : await trail.last(Number(lines ?? LINES), show)
  for (let after = start; follow && isRead; ) {
    await delay(LOOK_AGAIN_MS)
    after = await trail.upwards(after, show, () => isRead)
  }
  return 0
}

function filterOf({ table, registry, repository, since }: Flags, now: Date): AuditRequest {
  const from = since === undefined ? undefined : timeBefore(since, now)
  if (since !== undefined && !from) {
    throw new CommandError(
      `'${since}' is not a time: give --since one such as 2026-11-25, 2026-11-25T08:00Z, 30m, 12h or 7d.`,
      2,
    )
  }
  return {
    ...(table && { table }),
    ...(registry !== undefined && { registry }),
    ...(repository !== undefined && { repository }),
    ...(from && { since: from.toISOString() }),
  }
}

function openTrail(operator: OperatorClient, filter: AuditRequest) {
  const page = (more: AuditRequest): Promise<AuditAnswer> => {
    const query = new URLSearchParams(
      Object.entries({ ...filter, ...more }).map(([name, value]) => [name, String(value)]),
    )
    return operator.call('GET', `/audit?${query}`)
  }
  return {
    /** Shows what came after an event, as far as there is any. Returns where to go on. */
    async upwards(
      after: number,
      show: (event: EventColumns) => void,
      isWanted: () => boolean,
    ): Promise<number> {
      for (let reached = after; ; ) {
        const answer = await page({ after: reached, limit: PAGE })
        for (const event of answer.events) show(event)
        reached = answer.reached
        if (!answer.hasMore || !isWanted()) return reached
      }
    },

    /** Shows the last events. Returns where to go on upwards. */
    async last(count: number, show: (event: EventColumns) => void): Promise<number> {
      let found: readonly EventColumns[] = []
      let newest: number | undefined
      for (let before: number | undefined; ; ) {
        const limit = Math.max(1, Math.min(PAGE, count - found.length))
        const answer = await page({ ...(before !== undefined && { before }), limit })
        newest ??= answer.newest
        found = [...answer.events, ...found]
        before = answer.reached
        if (!answer.hasMore || found.length >= count) break
      }
      if (count > 0) for (const event of found.slice(-count)) show(event)
      return newest
    },
  }
}

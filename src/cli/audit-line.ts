export type EventColumns = Readonly<Record<string, string | number>>

const WIDTHS = [24, 9, 6, 20, 30] as const

/** Columns of a fixed width, since further lines may come at any time. */
const line = (cells: readonly string[]): string =>
  cells
    .map((cell, column) => cell.padEnd(WIDTHS[column] ?? 0))
    .join('  ')
    .trimEnd()

export const HEADING = line(['TIME', 'OPERATION', 'RESULT', 'WHO', 'FROM', 'WHAT'])

/** One event for people. */
export const describeEvent = (event: EventColumns): string =>
  line([
    String(event.TimeGenerated),
    String(event.OperationName),
    String(event.ResultDescription),
    String(event.IdentityName ?? event.Identity ?? '-'),
    describeOrigin(event),
    [describeTarget(event), event.ErrorCode].filter((part) => part !== undefined).join('  '),
  ])

function describeOrigin({ Place, PrivateEndpoint, CallerIpAddress }: EventColumns): string {
  const endpoint = PrivateEndpoint === undefined ? [] : [String(PrivateEndpoint).split('/').at(-1)]
  const parts = [Place, ...endpoint, CallerIpAddress].filter((part) => part !== undefined)
  return parts.join(' ') || '-'
}

function describeTarget({ LoginServer, Repository, Tag, Digest }: EventColumns): string {
  if (Repository === undefined) return String(LoginServer)
  const tag = Tag === undefined ? '' : `:${Tag}`
  return `${LoginServer}/${Repository}${tag}${Digest === undefined ? '' : `@${Digest}`}`
}

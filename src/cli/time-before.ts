const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** A time as people write it: `30m`, `12h`, `7d` before now, a date or an ISO 8601 time. Undefined for anything else. */
export function timeBefore(text: string, now: Date): Date | undefined {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const seconds = SECONDS[unit ?? '']
  if (count !== undefined && seconds !== undefined) {
    return new Date(now.getTime() - Number(count) * seconds * 1000)
  }
  if (!/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/.test(text)) {
    return undefined
  }
  const time = new Date(text)
  return Number.isNaN(time.getTime()) ? undefined : time
}

import type { PlaceId } from '../lib/origin.ts'
import type { PublicNames } from './public-names.ts'
import type { ZoneSource } from './zone-source.ts'

/** Answers by question, as bytes. What it returns is right as long as the zones and names it was built from are. */
export interface AnswerCache {
  /** A copy with the message's own id and flags, or undefined. */
  get(place: PlaceId, key: string, message: Buffer): Buffer | undefined
  set(place: PlaceId, key: string, response: Buffer): void
}

const ENTRIES_MAX = 65536
const FLAG_RECURSION_DESIRED = 0x01
const FLAG_CHECKING_DISABLED = 0x10

/** A cache that empties itself whenever a zone or a public name may have changed. */
export function createAnswerCache({
  zones,
  names,
}: {
  readonly zones: Pick<ZoneSource, 'version'>
  readonly names: Pick<PublicNames, 'version'>
}): AnswerCache {
  const answers = new Map<string, Buffer>()
  let [zonesVersion, namesVersion] = [zones.version, names.version]

  function dropOutdated(): void {
    if (zonesVersion === zones.version && namesVersion === names.version) return
    answers.clear()
    zonesVersion = zones.version
    namesVersion = names.version
  }

  return {
    get(place, key, message) {
      dropOutdated()
      const cached = answers.get(`${place} ${key}`)
      if (!cached) return undefined
      // Copied: a datagram is sent after this call, when the next query may have patched the same bytes.
      const response = Buffer.from(cached)
      message.copy(response, 0, 0, 2)
      copyFlag(message, response, 2, FLAG_RECURSION_DESIRED)
      copyFlag(message, response, 3, FLAG_CHECKING_DISABLED)
      return response
    },
    set(place, key, response) {
      dropOutdated()
      if (answers.size >= ENTRIES_MAX) answers.clear()
      answers.set(`${place} ${key}`, response)
    },
  }
}

function copyFlag(from: Buffer, to: Buffer, at: number, flag: number): void {
  to[at] = ((to[at] ?? 0) & ~flag) | ((from[at] ?? 0) & flag)
}

const OPT_BYTES = 11

/**
 * What an answer depends on besides the view: transport, question as sent, EDNS. Undefined for anything but a plain
 * query; EDNS options (the cookie that `dig` sends) would make every key unique, so those queries are not cached.
 */
export function cacheKeyOf(message: Buffer, transport: string): string | undefined {
  if (message.length < 17 || message.length > 512 || ((message[2] ?? 0) & 0xf8) !== 0) {
    return undefined
  }
  const counts = message.toString('latin1', 4, 12)
  const isPlain = counts === '\0\x01\0\0\0\0\0\0'
  if (!isPlain && !(counts === '\0\x01\0\0\0\0\0\x01' && endsInBareOpt(message))) return undefined
  return `${transport} ${message.toString('latin1', 11)}`
}

function endsInBareOpt(message: Buffer): boolean {
  const opt = message.subarray(-OPT_BYTES)
  return opt[0] === 0 && opt.readUInt16BE(1) === 41 && opt.readUInt16BE(9) === 0
}

import { readFileSync } from 'node:fs'

// Bit of CAP_SYS_ADMIN in linux/capability.h: what entering a namespace of the machine takes.
const SYS_ADMIN = 1n << 21n

/** Whether this process may do what root may: user 0 with its capabilities, which the server under root has given up. */
export function hasRootsRights(): boolean {
  if (process.geteuid?.() !== 0) return false
  try {
    const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(
      readFileSync('/proc/self/status', 'utf8'),
    )?.[1]
    return effective !== undefined && (BigInt(`0x${effective}`) & SYS_ADMIN) !== 0n
  } catch {
    return false
  }
}

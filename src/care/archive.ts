/**
 * What a backup holds, by name in the data folder; the first two are always there. Namespaces, logs, sockets and the
 * programs' own configuration are not part of it: they belong to the machine, or to people.
 */
export const ARCHIVED = [
  'causeway.db',
  'installation.json',
  'set-up.json',
  'keys',
  'authorities',
  'registry/blobs',
] as const

export const REQUIRED: readonly string[] = ARCHIVED.slice(0, 2)

/** Whether an entry of an archive may be unpacked: one of ours, and nowhere but under its own name. */
export function isArchived(entry: string): boolean {
  const path = entry.replace(/\/$/, '')
  if (path.split('/').includes('..')) return false
  return ARCHIVED.some((name) => path === name || path.startsWith(`${name}/`))
}

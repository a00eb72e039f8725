/** A user of the machine. */
export interface MachineUser {
  readonly uid: number
  readonly gid: number
  /** Supplementary groups; by default those of the user in the group file. */
  readonly groups?: readonly number[] | undefined
}

/** What root puts before a command so that it runs as the user; it does not fork. */
export function becomeUser({ uid, gid, groups }: MachineUser): readonly string[] {
  const supplementary =
    groups === undefined
      ? '--init-groups'
      : groups.length === 0
        ? '--clear-groups'
        : `--groups=${groups.join(',')}`
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, supplementary, '--inh-caps=-all', '--']
}

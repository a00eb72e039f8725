import { dirname, join } from 'node:path'
import { becomeUser, type MachineUser } from './become-user.ts'
import { enterAsOwner, enterAsRoot, type NamespaceEntry } from './namespace-entry.ts'
import type { ProgramFiles } from './program-files.ts'
import { systemBundles } from './trust-store.ts'

/** What runs in a place. */
export interface ProgramCommand {
  readonly command: string
  readonly args: readonly string[]
  /** By default where the caller stands. */
  readonly cwd?: string | undefined
  readonly user: ProgramUser
}

/**
 * As whom it runs: as the owner of the places, as root of the place alone, or, where root starts it, as anybody. The
 * owner's programs live in a user namespace, in which there is nobody else.
 */
export type ProgramUser =
  | { readonly as: 'owner' }
  | { readonly as: 'root of the place' }
  | ({ readonly as: 'user of the machine' } & MachineUser)

/**
 * Sockets by which a program would ask the machine's own resolvers, name caches or Docker daemon, which stand outside of
 * every place.
 */
export const MASKED = [
  '/run/systemd/resolve/io.systemd.Resolve',
  '/run/systemd/resolve/io.systemd.Resolve.Monitor',
  '/run/avahi-daemon/socket',
  '/run/nscd/socket',
  '/run/.nscd_socket',
  '/var/run/nscd/socket',
  '/var/run/.nscd_socket',
  '/run/unscd/socket',
  '/run/docker.sock',
  '/var/run/docker.sock',
]

/**
 * Runs in a mount namespace of the program's own. $1 to $3: resolv.conf, hosts, nsswitch.conf; $4: the trust store of
 * places; $5: a folder for mounting; $6: working directory or nothing; then, each list ended by `--`, the files that
 * the trust store replaces and the sockets to mask; then the command. The namespaces may have come as open files, which
 * are not the program's.
 *
 * Where one of the three files is missing or a link to nothing, it cannot be mounted over, nor may it be made on the
 * machine: then /etc is covered by a layer in memory that has it.
 */
const PREPARE = `
set -e
exec 3<&- 4<&-
if ! [ -f /etc/resolv.conf ] || ! [ -f /etc/hosts ] || ! [ -f /etc/nsswitch.conf ]; then
  mkdir -p "$5"
  mount -t tmpfs -o mode=755 tmpfs "$5"
  mkdir "$5/upper" "$5/work"
  (cd "$5" && mount -t overlay -o lowerdir=/etc,upperdir=upper,workdir=work overlay /etc)
  [ -f /etc/resolv.conf ] || { rm -f /etc/resolv.conf; : >/etc/resolv.conf; }
  [ -f /etc/hosts ] || { rm -f /etc/hosts; : >/etc/hosts; }
  [ -f /etc/nsswitch.conf ] || { rm -f /etc/nsswitch.conf; : >/etc/nsswitch.conf; }
fi
mount --bind "$1" "$(readlink -f /etc/resolv.conf)"
mount --bind "$2" "$(readlink -f /etc/hosts)"
mount --bind "$3" "$(readlink -f /etc/nsswitch.conf)"
causeway_bundle=$4 causeway_cwd=$6
shift 6
until [ "$1" = -- ]; do
  mount --bind "$causeway_bundle" "$(readlink -f "$1")"
  mount -o remount,bind,ro "$(readlink -f "$1")"
  shift
done
shift
until [ "$1" = -- ]; do
  # Nothing listens on /dev/null: a connection is refused.
  if [ -S "$1" ]; then mount --bind /dev/null "$(readlink -f "$1")"; fi
  shift
done
shift
if [ -n "$causeway_cwd" ]; then cd -- "$causeway_cwd"; fi
unset causeway_bundle causeway_cwd
exec "$@"
`

/**
 * Runs last, as the program's user: the search of execvp, so that what cannot be run is told of in words of ours. The
 * lists of a shell's own commands are not asked: nobody can execute those.
 */
const EXECUTE = `
causeway_code=127
IFS=: causeway_files=
set -f
case $1 in
  '') ;;
  */*) IFS= causeway_files=$1 ;;
  *) for causeway_file in $PATH; do causeway_files=$causeway_files:\${causeway_file:-.}/$1; done ;;
esac
for causeway_file in $causeway_files; do
  if [ -f "$causeway_file" ] && [ -x "$causeway_file" ]; then exec "$@"; fi
  if [ -e "$causeway_file" ]; then causeway_code=126; fi
done
case $causeway_code in
  126) printf 'causeway: %s: not a program that this user may execute\\n' "$1" ;;
  127) printf 'causeway: %s: not found in the place\\n' "$1" ;;
esac >&2
exit $causeway_code
`

/**
 * The command line that runs a program in its place; needs the rights of the owner of the place, or, for a user of the
 * machine, those of root. Every step replaces the one before it, so that exit code, signals and terminal are the
 * program's own.
 */
export function enterCommand(
  attachment: { readonly entry: NamespaceEntry; readonly files: ProgramFiles },
  program: ProgramCommand,
): { readonly file: string; readonly args: readonly string[] } {
  const { resolvConf, hosts, nsswitch, caBundle } = attachment.files
  const { entry } = attachment
  const isOfMachine = program.user.as === 'user of the machine'
  const [file = '', ...entering] = isOfMachine ? enterAsRoot(entry) : enterAsOwner(entry)
  return {
    file,
    args: [
      ...entering,
      // Slave: namespaces and mounts that the machine removes later go here as well; /sys and its cgroups stay.
      ...['unshare', '--mount', '--propagation', 'slave'],
      ...['sh', '-c', PREPARE, 'causeway'],
      ...[resolvConf, hosts, nsswitch, caBundle],
      join(dirname(resolvConf), 'layer'),
      program.cwd ?? '',
      ...systemBundles(),
      '--',
      ...MASKED,
      '--',
      ...becoming(program.user, entry),
      ...['sh', '-c', EXECUTE, 'causeway'],
      program.command,
      ...program.args,
    ],
  }
}

function becoming(user: ProgramUser, { holder }: NamespaceEntry): readonly string[] {
  if (user.as === 'root of the place') return []
  if (user.as === 'owner') {
    // The owner is root in there; a second user namespace gives back the number by which everybody else knows him.
    return ['unshare', `--map-user=${holder.uid}`, `--map-group=${holder.gid}`, '--']
  }
  return user.uid === 0 ? [] : becomeUser(user)
}

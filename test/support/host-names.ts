import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

// A bind mount in a mount namespace of the program's own: the machine's files are never touched.
const WITH_FILES = 'mount --bind "$1" "$2"; shift 2; exec "$@"'

const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]

// To mount, an ordinary user has to be root for a moment, of a user namespace; the program is the user again.
const [AS_ROOT, AS_SELF] =
  uid === 0
    ? [[], []]
    : [['--map-root-user'], ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`]]

/** A program that sees another file in the place of one of the machine's. */
export const withFile = (
  file: string,
  inPlaceOf: string,
  command: readonly string[],
): readonly [string, ...string[]] => [
  'unshare',
  ...AS_ROOT,
  ...['--mount', 'sh', '-ec', WITH_FILES, 'sh', file, inPlaceOf, ...AS_SELF, ...command],
]

/** A hosts file in `folder` by which these names lead to 127.0.0.1; returns its path. */
export async function hostsFile(folder: string, names: readonly string[]): Promise<string> {
  const file = join(folder, 'hosts')
  await writeFile(file, `127.0.0.1 localhost ${names.join(' ')}\n`)
  return file
}

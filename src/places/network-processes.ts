import { readdir, stat } from 'node:fs/promises'

// The kernel numbers the files of /proc/PID/net once for each network, and shows the numbers to everybody, while the
// namespaces of somebody else's process are for root alone to see.
const FILE = 'net/dev'

/** A command that prints the number by which `processesInNetwork` knows the network in which it runs. */
export const networkOfThisProcess: readonly string[] = [
  ...['stat', '--dereference', '--format=%i', `/proc/self/${FILE}`],
]

/** The processes in a network, whoever runs them. */
export async function processesInNetwork(number: string): Promise<readonly number[]> {
  const wanted = Number(number)
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const there = await stat(`/proc/${pid}/${FILE}`).catch(() => undefined)
      return there?.ino === wanted ? [Number(pid)] : []
    }),
  )
  return found.flat()
}

import { readdir, readFile } from 'node:fs/promises'

/** Clock ticks in a second, as /proc counts; the same on every architecture that Node runs on. */
const TICKS = 100

/** A process and everything that descends from it, as of now. */
export async function descendantsOf(pid: number): Promise<readonly number[]> {
  const parents = new Map<number, number>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const fields = await statOf(Number(name))
    if (fields) parents.set(Number(name), Number(fields[1]))
  }
  const found = [pid]
  // `found` grows while it is gone through.
  for (const each of found) {
    for (const [child, parent] of parents) if (parent === each) found.push(child)
  }
  return found
}

/** Memory that these processes hold, each page shared out among those who map it, in bytes. */
export async function proportionalBytes(pids: readonly number[]): Promise<number> {
  const sizes = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
      return Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1]) * 1024
    }),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** The time that these processes have spent on a core since they began, in seconds. */
export async function coreSeconds(pids: readonly number[]): Promise<number> {
  const all = await Promise.all(pids.map(statOf))
  return all.reduce((sum, fields) => sum + (Number(fields?.[11]) + Number(fields?.[12])) / TICKS, 0)
}

/** The fields of /proc/PID/stat from the state on; undefined where the process is gone. */
async function statOf(pid: number): Promise<readonly string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

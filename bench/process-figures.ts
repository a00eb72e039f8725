import { readdir, readFile, writeFile } from 'node:fs/promises'

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

/** The same, with what their children had spent that have ended. */
export async function coreSecondsWithChildren(pids: readonly number[]): Promise<number> {
  const all = await Promise.all(pids.map(statOf))
  const ticks = all.flatMap((fields) => fields?.slice(11, 15) ?? [])
  return ticks.reduce((sum, each) => sum + Number(each) / TICKS, 0)
}

/** The most memory that each of these processes held since `forgetPeaks`, summed, in bytes. Shared pages count for each. */
export async function peakBytes(pids: readonly number[]): Promise<number> {
  const peaks = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
      return Number(/^VmHWM:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024
    }),
  )
  return peaks.reduce((sum, peak) => sum + peak, 0)
}

/** https://www.kernel.org/doc/html/latest/filesystems/proc.html, clear_refs: 5 resets the peak. */
export async function forgetPeaks(pids: readonly number[]): Promise<void> {
  for (const pid of pids) await writeFile(`/proc/${pid}/clear_refs`, '5').catch(() => undefined)
}

/** What all cores of the machine have spent on work, and in all, in seconds. */
export async function machineSeconds(): Promise<{ readonly busy: number; readonly all: number }> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n')
  const spent = line.split(/\s+/).slice(1, 9).map(Number)
  const sum = (ticks: readonly number[]) => ticks.reduce((total, each) => total + each, 0) / TICKS
  // user, nice, system, idle, iowait, irq, softirq, steal
  return { busy: sum(spent.filter((_, index) => index !== 3 && index !== 4)), all: sum(spent) }
}

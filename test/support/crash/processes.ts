import { readdir, readFile } from 'node:fs/promises'

export interface Process {
  readonly pid: number
  readonly parent: number
  readonly words: readonly string[]
}

/** The machine's processes as far as they can be seen. */
export async function processes(): Promise<readonly Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const seen = await Promise.all(
    pids.map(async (pid) => {
      try {
        const [commandLine, stat] = await Promise.all([
          readFile(`/proc/${pid}/cmdline`, 'utf8'),
          readFile(`/proc/${pid}/stat`, 'utf8'),
        ])
        const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
        return { pid: Number(pid), parent: Number(parent), words: commandLine.split('\0') }
      } catch {
        return []
      }
    }),
  )
  return seen.flat()
}

/** Those that name the folder, or descend from the server. */
export async function processesOf(dataFolder: string): Promise<readonly Process[]> {
  return (await processes()).filter(({ words }) => words.some((word) => word.includes(dataFolder)))
}

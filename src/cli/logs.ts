import { spawn } from 'node:child_process'
import { access } from 'node:fs/promises'
import { stdout } from 'node:process'
import { createInterface } from 'node:readline'
import { readConfig } from '../config.ts'
import { describeDataFolder } from '../storage/data-folder.ts'
import { CommandError } from './command-error.ts'
import { bad, faint, print } from './terminal.ts'

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info ',
  40: 'warn ',
  50: 'error',
  60: 'fatal',
}

export async function logs(flags: {
  data?: string
  follow?: boolean
  lines: string
  json?: boolean
}): Promise<number> {
  if (!/^\d+$/.test(flags.lines)) {
    throw new CommandError(`'${flags.lines}' is not a number of lines: give --lines 0 or more.`, 2)
  }
  const { logFile, path } = await describeDataFolder(readConfig(flags).dataFolder)
  await access(logFile).catch(() => {
    throw new CommandError(`There is no log in ${path}; 'causeway up' writes one.`)
  })
  // It ends with this process, however that ends.
  const following = flags.follow ? ['--follow=name', '--retry', `--pid=${process.pid}`] : []
  const tail = spawn('tail', [`--lines=${flags.lines}`, ...following, logFile], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  stdout.once('error', () => tail.kill())
  for await (const line of createInterface({ input: tail.stdout })) {
    print(flags.json ? line : readable(line))
  }
  return 0
}

function readable(line: string): string {
  try {
    const { level, time, pid: _, hostname: __, msg, err, ...fields } = JSON.parse(line)
    const when = faint(new Date(time).toISOString())
    const rest = Object.entries({ ...fields, ...(err && { reason: err.message }) })
      .map(
        ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      )
      .join(' ')
    const word = LEVELS[level as number] ?? String(level)
    return `${when} ${level >= 40 ? bad(word) : word} ${msg ?? ''} ${faint(rest)}`.trimEnd()
  } catch {
    return line
  }
}

import { access } from 'node:fs/promises'
import { stdout } from 'node:process'
import { readConfig } from '../config.ts'
import { type DataFolder, describeDataFolder } from '../storage/data-folder.ts'
import { CommandError } from './command-error.ts'
import { linesOf } from './follow-file.ts'
import { createOperatorClient, NotRunning } from './operator-client.ts'
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
  reopen?: boolean
}): Promise<number> {
  if (flags.reopen) return reopen(await describeDataFolder((await readConfig(flags)).dataFolder))
  if (!/^\d+$/.test(flags.lines)) {
    throw new CommandError(`'${flags.lines}' is not a number of lines: give --lines 0 or more.`, 2)
  }
  const { logFile, path } = await describeDataFolder((await readConfig(flags)).dataFolder)
  await access(logFile).catch(() => {
    throw new CommandError(`There is no log in ${path}; 'causeway up' writes one.`)
  })
  let isRead = true
  stdout.once('error', () => {
    isRead = false
  })
  for await (const line of linesOf(logFile, {
    last: Number(flags.lines),
    follow: flags.follow === true,
  })) {
    if (!isRead) break
    print(flags.json ? line : readable(line))
  }
  return 0
}

/** Where no server runs there is nothing to do, and the next one opens the file anyway. */
async function reopen(folder: DataFolder): Promise<number> {
  try {
    await createOperatorClient(folder.operatorSocket, folder.path).call('POST', '/log/reopen')
  } catch (error) {
    if (!(error instanceof NotRunning)) throw error
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

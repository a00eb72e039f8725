import { userInfo } from 'node:os'
import { examine } from '../care/examine.ts'
import type { Finding } from '../care/finding.ts'
import { inheritedEnvironment, readConfig } from '../config.ts'
import type { ServerStatus } from '../operator/contract.ts'
import { describeDataFolder } from '../storage/data-folder.ts'
import { createOperatorClient, NotRunning } from './operator-client.ts'
import { bad, faint, good, print, printJson } from './terminal.ts'

/** Tells what stands in the way on this machine, each with its cure; exit code 1 when something does. */
export async function doctor(flags: {
  data?: string
  port?: string
  json?: boolean
}): Promise<number> {
  const config = await readConfig(flags)
  const folder = await describeDataFolder(config.dataFolder)
  const server = await createOperatorClient(folder.operatorSocket, folder.path)
    .call<ServerStatus>('GET', '/status')
    .catch((error) => {
      if (error instanceof NotRunning) return undefined
      throw error
    })
  const findings = await examine({
    folder,
    port: server?.port ?? config.port,
    isRunning: server !== undefined,
    searchPath: inheritedEnvironment().PATH ?? '',
    home: homeOfAccount(),
    now: new Date(),
  })
  if (flags.json) printJson(findings)
  else for (const finding of findings) describe(finding)
  return findings.some(({ state }) => state === 'failed') ? 1 : 0
}

/** Empty for a user without an account. */
function homeOfAccount(): string {
  try {
    return userInfo().homedir
  } catch {
    return ''
  }
}

function describe(finding: Finding): void {
  const mark = { ok: good('✓'), warning: bad('!'), failed: bad('✗') }[finding.state]
  print(`${mark} ${finding.check.padEnd(12)} ${finding.found}`)
  if (finding.state !== 'ok') print(`  ${' '.repeat(12)} ${faint('→')} ${finding.cure}`)
}

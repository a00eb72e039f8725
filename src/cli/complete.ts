import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { readConfig } from '../config.ts'
import type { NetworkSummary, PrincipalSummary } from '../operator/contract.ts'
import { describeDataFolder } from '../storage/data-folder.ts'
import { createOperatorClient, type OperatorClient } from './operator-client.ts'
import { print } from './terminal.ts'
import { type Candidate, type Fitting, whatFits } from './what-fits.ts'

// Nobody waits longer for a list that they did not ask for.
const PATIENCE_MS = 1000

/**
 * Prints what fits at the end of a command line, for the scripts of `causeway completion`: a line that says what is
 * meant (`words`, `files`, or `command N`), then one for each word, with its description after a tab.
 */
export async function complete(program: Command, words: readonly string[]): Promise<number> {
  const fit = whatFits(program, words)
  if (fit.kind === 'command') print(`command ${fit.from}`)
  else if (fit.kind === 'words') printWords(fit.candidates)
  else if (FILES.has(fit.placeholder)) print('files')
  else printWords(await valuesOf(fit, words.at(-1) ?? ''))
  return 0
}

// The words of az are not asked of az, whose completion would read the user's own configuration and ask the real cloud.
const FILES = new Set(['file', 'folder', 'words'])

function printWords(candidates: readonly Candidate[]): void {
  print('words')
  for (const { word, description } of candidates) {
    print(description === undefined ? word : `${word}\t${description}`)
  }
}

async function valuesOf(
  { placeholder, prefix, given }: Extract<Fitting, { kind: 'value' }>,
  start: string,
): Promise<readonly Candidate[]> {
  const list = VALUES[placeholder]
  if (!list) return []
  try {
    const folder = await describeDataFolder((await readConfig(given)).dataFolder)
    const server = createOperatorClient(folder.operatorSocket, folder.path)
    const none = delay(PATIENCE_MS, [] as readonly Candidate[], { ref: false })
    const candidates = await Promise.race([list(server, given), none])
    return candidates
      .map(({ word, description }) => ({ word: `${prefix}${word}`, description }))
      .filter(({ word }) => word.startsWith(start))
  } catch {
    // No server, no values: a prompt is no place for complaints.
    return []
  }
}

type List = (
  server: OperatorClient,
  given: Readonly<Record<string, string>>,
) => Promise<readonly Candidate[]>

/** What the running server knows, by the placeholder that stands for it in the help. */
const VALUES: Readonly<Record<string, List>> = {
  network: async (server) =>
    (await networksOf(server)).map(({ name, resourceGroup }) => ({
      word: name,
      description: resourceGroup,
    })),
  group: async (server, given) =>
    (await networksOf(server))
      .filter(({ name }) => isNamed(name, given.vnet))
      .map(({ resourceGroup }) => ({ word: resourceGroup })),
  subnet: async (server, given) =>
    (await networksOf(server))
      .filter(({ name }) => isNamed(name, given.vnet))
      .filter(({ resourceGroup }) => isNamed(resourceGroup, given.resourceGroup))
      .flatMap(({ name, subnets }) => subnets.map((word) => ({ word, description: name }))),
  principal: async (server) =>
    (await server.call<PrincipalSummary[]>('GET', '/principals')).map(({ name, kind }) => ({
      word: name,
      description: kind,
    })),
}

const networksOf = (server: OperatorClient): Promise<readonly NetworkSummary[]> =>
  server.call<NetworkSummary[]>('GET', '/networks')

const isNamed = (name: string, wanted: string | undefined): boolean =>
  wanted === undefined || name.toLowerCase() === wanted.toLowerCase()

import { constants } from 'node:os'
import type { Config } from '../config.ts'
import { startServer } from '../main.ts'
import { rehearse } from '../rehearsal/rehearse.ts'
import { createProgress, type Progress } from './progress.ts'
import { proofTable } from './proof-table.ts'
import { bad, faint, good, print, printError, strong } from './terminal.ts'

const END_SECONDS = 20

/** Serves until a signal, or until `causeway down`. Exit code 1 when the proof did not hold. */
export async function serve(config: Config, options: { empty: boolean }): Promise<number> {
  // Signals that come while it starts must not leave half of it behind.
  const ended = untilEnded()
  print(`${strong('Causeway')} ${config.version} ${faint(config.dataFolder)}`)
  const progress = createProgress()
  const server = await startServer(config, progress)
  let proven = true
  try {
    const rehearsed = options.empty || rehearseAndShow(server, progress)
    // Nobody waits for a proof who has asked for the end: taking the places down ends its clients.
    const end = Promise.race([ended.promise, server.shutDownAsked])
    const outcome = await Promise.race([rehearsed, end])
    if (outcome === undefined) return 0
    proven = outcome
    const { urls, state, placesUnavailable, host } = await server.status()
    print()
    print(`Control plane ${strong(urls.control)}`)
    if (host.namesUnavailable) {
      const { cause, cure } = host.namesUnavailable
      print(faint(`No names on loopback: ${cause} ${cure}`))
    }
    for (const { chainFile, problem } of host.certificates) {
      if (problem !== undefined) print(`${bad('Certificate')} ${chainFile}: ${problem}`)
    }
    if (placesUnavailable) {
      print(`${bad('No places:')} ${placesUnavailable.cause} ${placesUnavailable.cure}`)
    }
    const told =
      state === 'serving'
        ? good('Causeway is serving.')
        : placesUnavailable
          ? bad('Causeway serves without places.')
          : bad("Causeway serves, but not every place; 'causeway status' tells which, and why.")
    print(`${told} ${faint('Ctrl-C takes the places down and keeps the data.')}`)
    await end
  } finally {
    await progress.step('places taken down, data kept', () => server.close())
    ended.stop()
  }
  return proven ? 0 : 1
}

async function rehearseAndShow(
  server: Awaited<ReturnType<typeof startServer>>,
  progress: Progress,
): Promise<boolean> {
  const outcome = await rehearse(server, progress)
  if (outcome.kind === 'not-there') {
    print(outcome.reason)
    return true
  }
  if (outcome.kind === 'failed') {
    printError(bad(outcome.reason))
    return false
  }
  const { proof } = outcome
  print()
  print(`A real pull of ${strong(proof.image)}, from inside and from outside:`)
  print()
  print(proofTable(proof))
  print()
  print(
    proof.holds
      ? good('Proven: it is served inside the network, and refused outside.')
      : bad("Not proven: this is not the set-up of the article; 'causeway logs' tells more."),
  )
  print()
  print('Try it yourself, in another terminal:')
  const [loginServer] = proof.image.split('/')
  for (const command of [
    `bin/causeway exec --vnet myDockerVMVNET -- dig ${loginServer}`,
    `bin/causeway exec --internet -- dig ${loginServer}`,
    'bin/causeway shell --vnet myDockerVMVNET',
  ]) {
    print(`  ${command}`)
  }
  return proof.holds
}

/** The first signal ends in good order; a second one, by somebody who will not wait, ends at once. */
function untilEnded(): { promise: Promise<void>; stop(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  let asked = false
  const end = (signal: NodeJS.Signals): void => {
    if (asked) process.exit(128 + constants.signals[signal])
    asked = true
    // Whatever hangs, a start or an end: who asked for the end gets it.
    setTimeout(() => {
      printError(
        bad(`It did not end within ${END_SECONDS} s; 'causeway down' removes what is left.`),
      )
      process.exit(128 + constants.signals[signal])
    }, END_SECONDS * 1000).unref()
    resolve()
  }
  process.on('SIGINT', end).on('SIGTERM', end).on('SIGHUP', end)
  return {
    promise,
    stop: () => void process.off('SIGINT', end).off('SIGTERM', end).off('SIGHUP', end),
  }
}

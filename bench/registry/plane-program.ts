/**
 * The registry plane by itself over plain HTTP on loopback, on a data folder that goes with it. Says on its output where it
 * is, and ends with its input.
 */
import { stdin, stdout } from 'node:process'
import { startRegistry } from '../../src/registry/testing/registry-fixture.ts'

export interface PlaneSaid {
  /** `127.0.0.1:port`. */
  readonly address: string
  readonly folder: string
  /** The registry's uid. */
  readonly registry: string
  readonly credentials: { readonly user: string; readonly password: string }
}

const hooks: (() => Promise<void>)[] = []
const registry = await startRegistry({ after: (hook) => hooks.push(hook) })
const { address, folder, facts } = registry
// What tests look at would only grow here, and be collected over and over.
setInterval(() => {
  for (const seen of [registry.outcomes, registry.noted, registry.recorded]) seen.length = 0
}, 100).unref()
// One of the fixture's principals, so that rights are looked up as for anybody.
const credentials = { user: 'app-writer', password: 'secret' }
const said: PlaneSaid = { address, folder, registry: facts.uid, credentials }
stdout.write(`${JSON.stringify(said)}\n`)
stdin.resume()
stdin.once('end', async () => {
  for (const hook of hooks) await hook()
})

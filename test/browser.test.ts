import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { CreatedPrincipal } from '../src/operator/contract.ts'
import { bash, bashOnHost } from './support/az.ts'
import type { Sight } from './support/browser-program.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { createPrincipal } from './support/principals.ts'
import { type Finished, run, succeeded } from './support/run.ts'
import { SECRETS } from './support/secrets.ts'

const SDK_PROGRAM = join(import.meta.dirname, 'support/sdk-browser.ts')
const PERSON = join(import.meta.dirname, 'support/browser-program.ts')

// On the host az always waits at port 8400: one at a time, whoever runs these tests.
const LOGIN = `
  flock -w 60 "$(command -v az)" az login --output none 2>/dev/null
  cat "$SEEN"; echo`

const DEVICE_LOGIN = `
  mkfifo "$AZURE_CONFIG_DIR/said"
  az login --use-device-code --output none 2>"$AZURE_CONFIG_DIR/said" &
  login=$!
  exec 4<"$AZURE_CONFIG_DIR/said"
  line=
  until [[ $line =~ 'open the page '([^ ]+)' and enter the code '([A-Z]+) ]]; do read -r line <&4; done
  "$BROWSER" "\${BASH_REMATCH[1]}" "\${BASH_REMATCH[2]}"
  cat "$SEEN"; echo
  wait $login`

const WHO = `
  az account show --query '[id, user.name]' --output tsv
  az ad signed-in-user show --query id --output tsv`

describe('people sign in with a browser', {
  ...needs('places', 'ip', 'az', 'chromium', 'certutil'),
  timeout: 300_000,
}, () => {
  let causeway: Causeway
  let folder: string
  let alice: CreatedPrincipal

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'causeway-browser-'))
    causeway = await startCauseway()
    alice = await createPrincipal(causeway, 'alice', '--user', '--role', 'Reader')
    const { authorities } = await causeway.status()
    await trustIn(folder, authorities.place, authorities.host)
    const browser = join(folder, 'browser')
    await writeFile(
      browser,
      `#!/bin/sh\n"${process.execPath}" "${PERSON}" "$@" >/dev/null 2>&1 &\n`,
    )
    await chmod(browser, 0o755)
  })
  after(async () => {
    await causeway?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  /** Runs a script whose programs open alice's browser; `$SEEN` is a pipe that brings what she saw. */
  const scriptOf = (script: string) => `
    export AZURE_CONFIG_DIR=$(mktemp -d) SEEN=$(mktemp -u)
    mkfifo "$SEEN"
    trap 'rm -r "$AZURE_CONFIG_DIR" "$SEEN"' EXIT
    ${script}`
  const variables = () => ({
    BROWSER: join(folder, 'browser'),
    BROWSER_HOME: folder,
    PERSON: alice.userName ?? '',
    PASSWORD: alice.secret ?? '',
  })
  const asAlice = (script: string) =>
    bash(causeway, internet, scriptOf(script), { variables: variables() })
  const onHost = (script: string) => bashOnHost(causeway, scriptOf(script), variables())

  async function sightOf(printed: Finished): Promise<Sight> {
    const [seen = '', subscription, ...who] = succeeded(printed).trim().split('\n')
    assert.deepEqual(
      [subscription, ...who],
      [(await causeway.status()).subscriptionId, alice.userName, alice.objectId],
    )
    const sight: Sight = JSON.parse(seen)
    assert.match(sight.asked, /Azure CLI asks to act as you/)
    assert.match(sight.alert, /The user name or the password is wrong/)
    assert.deepEqual(sight.violations, [])
    return sight
  }

  for (const [where, runs] of [
    ['in a place', asAlice],
    ['on the host', onHost],
  ] as const) {
    test(`az login ${where} opens it, and is signed in when the person is`, async () => {
      const sight = await sightOf(await runs(`${LOGIN}\n${WHO}`))
      assert.match(sight.url, /^http:\/\/localhost:\d+\//)
    })

    test(`az login --use-device-code ${where} shows a code that the person enters there`, async () => {
      const sight = await sightOf(await runs(`${DEVICE_LOGIN}\n${WHO}`))
      assert.match(sight.url, /\/oauth2\/(v2\.0\/)?deviceauth$/)
      assert.match(sight.end, /Azure CLI is signed in on your device/)
    })
  }

  test('a program of the SDK opens it, and takes its answer as a form', async () => {
    const printed = await asAlice(`
      "${process.execPath}" "${SDK_PROGRAM}"; echo
      cat "$SEEN"`)
    const [who, seen = ''] = succeeded(printed).split('\n')
    assert.equal(who, alice.userName)
    // The code is in no address, and so in no history.
    const sight: Sight = JSON.parse(seen)
    assert.match(sight.url, /^http:\/\/localhost:\d+\/$/)
    assert.deepEqual(sight.violations, [])
  })

  test('the log of all this holds no secret and no token', async () => {
    const log = succeeded(await causeway.command(['logs']))
    assert.match(log, /person signed in/)
    assert.doesNotMatch(log, SECRETS)
  })
})

/** A home whose browsers trust these certificate authorities, as the documentation has it. */
async function trustIn(home: string, ...certificateFiles: readonly string[]): Promise<void> {
  const store = join(home, '.pki/nssdb')
  await mkdir(store, { recursive: true })
  const certutil = (...args: string[]) => run('certutil', ['-d', `sql:${store}`, ...args])
  succeeded(await certutil('-N', '--empty-password'))
  for (const file of certificateFiles) {
    succeeded(await certutil('-A', '-n', file, '-t', 'C,,', '-i', file))
  }
}

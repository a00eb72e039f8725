import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { fetchOverTls } from './support/https-client.ts'
import { needs } from './support/needs.ts'
import { createPrincipal } from './support/principals.ts'
import { run, succeeded } from './support/run.ts'
import { projectFolder } from './support/shared-data.ts'

const CAUSEWAY = join(projectFolder, 'bin/causeway')
const SIGN_INS = 60
const ROTATIONS = 3

describe('the log, rotated by logrotate while it is written', {
  ...needs('places', 'logrotate'),
  timeout: 120_000,
}, () => {
  let causeway: Causeway
  let folder: string
  let signIn: () => Promise<void>
  let appId: string

  before(async () => {
    causeway = await startCauseway()
    folder = await mkdtemp(join(tmpdir(), 'causeway-rotation-'))
    const { urls, authorities } = await causeway.status()
    const ca = await readFile(authorities.host, 'utf8')
    const { appId: client, secret, tenantId } = await createPrincipal(causeway, 'logged')
    appId = client
    signIn = async () => {
      const answer = await fetchOverTls(
        new URL(`/${tenantId}/oauth2/v2.0/token`, urls.authority).href,
        {
          method: 'POST',
          ca,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({
            grant_type: 'client_credentials',
            client_id: client,
            client_secret: secret ?? '',
            scope: `${urls.control}.default`,
          }).toString(),
        },
      )
      assert.equal(answer.status, 200, answer.text)
    }
  })
  after(async () => {
    await causeway?.remove()
    await rm(folder, { recursive: true })
  })

  async function rotate(): Promise<void> {
    const log = join(causeway.dataFolder, 'logs', 'server.log')
    const recipe = join(folder, 'recipe')
    await writeFile(
      recipe,
      `"${log}" {
        rotate 20
        compress
        nocreate
        postrotate
          ${CAUSEWAY} logs --reopen --data ${causeway.dataFolder}
        endscript
      }`,
    )
    await chmod(recipe, 0o600)
    const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }
    const options = ['--force', '--state', join(folder, 'state'), recipe]
    succeeded(await run('logrotate', options, { environment }))
  }

  /** Every line of every file, compressed or not. */
  async function written(): Promise<readonly string[]> {
    const logs = join(causeway.dataFolder, 'logs')
    const texts = (await readdir(logs)).map(async (name) => {
      const content = await readFile(join(logs, name))
      return (name.endsWith('.gz') ? gunzipSync(content) : content).toString()
    })
    return (await Promise.all(texts)).flatMap((text) => text.split('\n'))
  }

  const isSignIn = (line: string) => line.includes(appId)

  test('loses no line, and `causeway logs --follow` shows each of them', async () => {
    const follow = spawn(
      CAUSEWAY,
      ['logs', '--data', causeway.dataFolder, '--follow', '--json', '--lines', '0'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const followed: string[] = []
    const lines = createInterface({ input: follow.stdout })
    const { promise: allFollowed, resolve } = Promise.withResolvers<void>()
    lines.on('line', (line) => {
      if (isSignIn(line)) followed.push(line)
      if (followed.length > SIGN_INS + ROTATIONS) resolve()
    })
    const ended = new Promise((end) => follow.once('close', end))
    try {
      // Nothing tells when it has begun to follow, other than what it shows.
      let early = 0
      let extra = 0
      while (followed.length === 0) {
        assert.ok(early < 500, 'nothing was followed')
        await signIn()
        early += 1
      }
      const rotating = (async () => {
        for (let number = 0; number < ROTATIONS; number += 1) {
          await rotate()
          // Nobody rotates twice before a line came.
          const shown = followed.length
          await signIn()
          extra += 1
          while (followed.length === shown) await once(lines, 'line')
        }
      })()
      for (let number = 0; number < SIGN_INS; number += 1) await signIn()
      await rotating
      assert.equal((await written()).filter(isSignIn).length, early + extra + SIGN_INS)
      await Promise.race([allFollowed, ended, delay(20_000)])
      assert.ok(followed.length > SIGN_INS + ROTATIONS, `${followed.length} lines were followed`)
    } finally {
      follow.kill('SIGTERM')
      await ended
    }
  })

  test('is in a new file of the same name after that, for its owner alone', async () => {
    await rotate()
    await signIn()
    const log = join(causeway.dataFolder, 'logs', 'server.log')
    assert.equal((await stat(log)).mode & 0o777, 0o600)
    const shown = succeeded(await causeway.command(['logs']))
    assert.equal(shown.trim().split('\n').length, 1)
    assert.match(shown, new RegExp(`token issued.*${appId}`))
  })

  test('without a server there is nothing to reopen, and that is no failure', async () => {
    await causeway.end('SIGTERM')
    await rotate()
    succeeded(await causeway.command(['logs', '--reopen']))
    await causeway.startAgain()
    assert.match(succeeded(await causeway.command(['logs'])), /serving/)
  })
})

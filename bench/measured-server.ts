import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createOperatorClient } from '../src/cli/operator-client.ts'
import type { ServerStatus } from '../src/operator/contract.ts'
import { findHolder } from '../src/places/holder.ts'
import { describeDataFolder } from '../src/storage/data-folder.ts'
import { fetchOverTls } from '../test/support/https-client.ts'
import { run, succeeded } from '../test/support/run.ts'
import { projectFolder } from '../test/support/shared-data.ts'
import { descendantsOf } from './process-figures.ts'

const CAUSEWAY = join(projectFolder, 'bin/causeway')
const START_SECONDS = 60
const PROVEN = 'Causeway is serving.'
const PLACE = ['--vnet', 'myDockerVMVNET']
const HOST = 'myregistry.azurecr.io'

/** Milliseconds from the call of `causeway up`. */
export interface StartTimes {
  /** Control plane, endpoints and resolvers accept. */
  readonly ready: number
  /** What `npm start` shows has been shown: both pulls were made. */
  readonly proven: number
}

export interface MeasuredServer {
  readonly times: StartTimes
  /** The server with its children, and what keeps its namespaces. */
  processes(): Promise<readonly number[]>
  /** Asks all three planes something. */
  answers(): Promise<void>
  end(): Promise<void>
}

/** `causeway up` on the data folder in `root`. `compile` says whether compiled sources are taken from the user's cache. */
export async function startMeasured(
  root: string,
  compile: 'cached' | 'anew',
  workers: number,
): Promise<MeasuredServer> {
  const data = join(root, 'data')
  const environment = {
    ...process.env,
    ...(compile === 'anew' && { NODE_DISABLE_COMPILE_CACHE: '1' }),
  }
  const causeway = (args: readonly string[]) =>
    run(CAUSEWAY, args, { environment: { ...environment, CAUSEWAY_DATA: data } })

  const started = performance.now()
  const args = ['up', '--data', data, '--port', '0', '--workers', String(workers)]
  const child = spawn(CAUSEWAY, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: environment,
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  let printed = ''
  const proven = new Promise<number>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
      if (printed.includes(PROVEN)) resolve(performance.now() - started)
    })
    ended.then(() => reject(new Error(`the server ended before it served\n${printed}`)))
  })
  const { status, times } = await settle().catch(async (error) => {
    child.kill('SIGTERM')
    await ended
    throw error
  })

  async function settle(): Promise<{ status: ServerStatus; times: StartTimes }> {
    const ready = untilServing(data).then((status) => ({
      status,
      after: performance.now() - started,
    }))
    const [served, provenAfter] = await Promise.all([ready, proven])
    return { status: served.status, times: { ready: served.after, proven: provenAfter } }
  }

  return {
    times,
    async processes() {
      const holder = await findHolder((await describeDataFolder(data)).run)
      const pids = await descendantsOf(status.pid)
      return holder ? [...pids, ...(await descendantsOf(holder.pid))] : pids
    },
    async answers() {
      const ca = await readFile(status.authorities.host, 'utf8')
      const url = new URL('metadata/endpoints?api-version=2022-09-01', status.urls.control)
      assert.equal((await fetchOverTls(url.href, { ca })).status, 200)
      const inPlace = async (...command: readonly string[]) =>
        succeeded(await causeway(['exec', ...PLACE, '--', ...command]))
      assert.match(await inPlace('getent', 'hosts', HOST), /^10\.0\.0\.7 /)
      const head = await inPlace(
        'curl',
        '-sS',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        `https://${HOST}/v2/`,
      )
      assert.equal(head, '401')
    },
    async end() {
      succeeded(await causeway(['down']))
      await ended
    },
  }
}

/** Places are in effect before the operator's socket answers. */
async function untilServing(data: string): Promise<ServerStatus> {
  for (const deadline = Date.now() + START_SECONDS * 1000; ; await delay(5)) {
    assert.ok(Date.now() < deadline, `nothing was served in ${START_SECONDS} s`)
    const { operatorSocket, path } = await describeDataFolder(data)
    const status = await createOperatorClient(operatorSocket, path)
      .call<ServerStatus>('GET', '/status')
      .catch(() => undefined)
    if (status?.state === 'serving') return status
  }
}

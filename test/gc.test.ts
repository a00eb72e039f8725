import assert from 'node:assert/strict'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createOperatorClient, type OperatorClient } from '../src/cli/operator-client.ts'
import type { Collected, GarbageCandidate, ScrubProgress } from '../src/operator/contract.ts'
import { describeDataFolder } from '../src/storage/data-folder.ts'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { type ContentClient, contentClient } from './support/content-client.ts'
import { chanceFrom } from './support/crash/seeded-random.ts'
import { type LoopbackRegistry, loopbackRegistry, sha256 } from './support/loopback-registry.ts'
import { adminOf, makeGroup, makeRegistry } from './support/private-registry.ts'
import { failed, succeeded } from './support/run.ts'

const SECONDS = Number(process.env.CAUSEWAY_GC_SECONDS ?? 5)
const CRASHES = Number(process.env.CAUSEWAY_GC_CRASHES ?? 3)
/** Processes that serve registries beside the server, in which the collector runs. */
const WORKERS = Number(process.env.CAUSEWAY_GC_WORKERS ?? 0)
const SEED = Number(process.env.CAUSEWAY_GC_SEED ?? Date.now() % 1_000_000)
const CLIENTS = 8
const NAME = 'tidyhouse'

const repositories = Array.from({ length: CLIENTS }, (_, index) => `team/app${index}`)

describe('garbage that is collected without grace, under load', {
  timeout: 180_000 + SECONDS * 10_000 + CRASHES * 60_000,
}, () => {
  const chance = chanceFrom(SEED)
  const layers = Array.from({ length: 12 }, (_, index) => chance.bytes(4096 << (index % 6)))
  let causeway: Causeway
  let admin: { readonly username: string; readonly password: string }
  let registry: LoopbackRegistry
  let operator: OperatorClient
  let clients: readonly ContentClient[]

  before(async () => {
    causeway = await startCauseway({
      workers: WORKERS,
      configuration: 'garbageCollection: { graceHours: 0, intervalSeconds: 3600 }\n',
    })
    const arm = await createArmClient(causeway)
    const house = await makeRegistry(arm, await makeGroup(arm, 'tidy'), NAME)
    admin = await adminOf(arm, house)
    const folder = await describeDataFolder(causeway.dataFolder)
    operator = createOperatorClient(folder.operatorSocket, folder.path)
    registry = await connect()
    clients = Array.from({ length: CLIENTS }, (_, index) =>
      contentClient({
        registry: () => registry,
        repository: repositories[index] ?? '',
        neighbours: repositories,
        layers,
        chance: chanceFrom(SEED + index + 1),
      }),
    )
  })
  after(async () => {
    registry?.close()
    await causeway?.remove()
  })

  async function connect(): Promise<LoopbackRegistry> {
    const { port, authorities } = await causeway.status()
    return loopbackRegistry({
      name: NAME,
      port,
      ca: await readFile(authorities.host, 'utf8'),
      admin,
    })
  }

  const collect = () =>
    operator.call<Collected>('POST', '/garbage/collections', { ignoresGrace: true })

  /** The collector runs again and again until `work` is done. */
  async function whileCollecting(work: Promise<unknown>): Promise<number> {
    let isDone = false
    let removed = 0
    const done = work.finally(() => {
      isDone = true
    })
    const collecting = (async () => {
      while (!isDone) {
        removed += (await collect()).removedBlobs
        await delay(50)
      }
    })()
    await Promise.all([done, collecting])
    return removed
  }

  async function actFor(seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1000
    await Promise.all(
      clients.map(async (client) => {
        while (performance.now() < end) await client.act()
      }),
    )
  }

  test('no blob that a manifest needs is ever missing', async (t) => {
    t.diagnostic(`CAUSEWAY_GC_SEED=${SEED} CAUSEWAY_GC_SECONDS=${SECONDS}`)
    const removed = await whileCollecting(actFor(SECONDS))
    await Promise.all(clients.map((client) => client.pullAll()))
    const pushes = clients.reduce((sum, client) => sum + client.pushes, 0)
    const repeated = clients.reduce((sum, client) => sum + client.repeated, 0)
    t.diagnostic(`${pushes} pushes, ${repeated} begun again, ${removed} blobs removed`)
    assert.ok(pushes > CLIENTS, `${pushes} pushes`)
    assert.ok(removed > 0, 'nothing was removed')
  })

  test('the store has then what is needed, and nothing else', async () => {
    succeeded(await causeway.command(['gc', '--no-grace']))
    assert.deepEqual(await storedFiles(causeway), await neededFiles(causeway, clients))
    await Promise.all(clients.map((client) => client.pullAll()))
  })

  for (let crash = 1; crash <= CRASHES; crash++) {
    test(`${crash}: a server killed while it collects has lost nothing, and leaves nothing`, async () => {
      const acting = actFor(60).catch(() => 'the server is gone')
      const collecting = (async () => {
        for (;;) await collect()
      })().catch(() => 'the server is gone')
      await delay(200 + chance.below(800))
      await causeway.end('SIGKILL')
      await Promise.all([acting, collecting])
      registry.close()
      await causeway.startAgain()
      registry = await connect()
      await Promise.all(clients.map((client) => client.pullAll()))
      await collect()
      await Promise.all(clients.map((client) => client.pullAll()))
      assert.deepEqual(await storedFiles(causeway), await neededByRows(causeway))
    })
  }

  test('when all is deleted, only the samples stay', async () => {
    for (const client of clients) await client.deleteAll()
    for (const repository of repositories) await registry.send('DELETE', `/acr/v1/${repository}`)
    await collect()
    assert.deepEqual(await storedFiles(causeway), await neededByRows(causeway, 'mcr'))
  })
})

describe('causeway gc and causeway scrub', { timeout: 180_000 }, () => {
  const bytes = Buffer.from('nobody needs this')
  const digest = sha256(bytes)
  let causeway: Causeway
  let registry: LoopbackRegistry

  before(async () => {
    causeway = await startCauseway()
    const arm = await createArmClient(causeway)
    const house = await makeRegistry(arm, await makeGroup(arm, 'words'), NAME)
    const { port, authorities } = await causeway.status()
    const ca = await readFile(authorities.host, 'utf8')
    registry = loopbackRegistry({ name: NAME, port, ca, admin: await adminOf(arm, house) })
    await push()
  })
  after(async () => {
    registry?.close()
    await causeway?.remove()
  })

  const push = () => registry.send('POST', `/v2/app/blobs/uploads/?digest=${digest}`, bytes)

  test('tell what will go, why and when', async () => {
    const shown = succeeded(await causeway.command(['gc', '--dry-run']))
    assert.match(shown, /^DIGEST +WHAT +SIZE +OF +WHY +SINCE +DUE$/m)
    assert.match(
      shown,
      new RegExp(
        `^${digest} +blob +17 B +${NAME}.azurecr.io/app +no manifest has needed it yet `,
        'm',
      ),
    )
    const json = succeeded(await causeway.command(['gc', '--dry-run', '--json']))
    const [candidate] = JSON.parse(json) as GarbageCandidate[]
    assert.equal(candidate?.reason, 'unused')
    const day = Date.parse(candidate.due) - Date.parse(candidate.since)
    assert.equal(day, 24 * 60 * 60 * 1000)
  })

  test('wait for the grace, unless they are told not to', async () => {
    assert.equal(succeeded(await causeway.command(['gc'])), 'Removed 0 blobs, 0 B.\n')
    assert.equal((await registry.send('GET', `/v2/app/blobs/${digest}`)).status, 200)
    assert.match(
      succeeded(await causeway.command(['gc', '--no-grace'])),
      /^Removed 1 blob, 17 B\.$/m,
    )
    assert.equal((await registry.send('GET', `/v2/app/blobs/${digest}`)).status, 404)
    const empty = succeeded(await causeway.command(['gc', '--dry-run']))
    assert.equal(empty, 'There is nothing that is not needed.\n')
  })

  test('find a damaged blob, as does the doctor, until it is pushed again', async () => {
    await push()
    assert.match(
      succeeded(await causeway.command(['scrub'])),
      /each has the bytes of its digest\.$/m,
    )
    const hex = digest.slice('sha256:'.length)
    const file = join(causeway.dataFolder, 'registry/blobs/sha256', hex.slice(0, 2), hex)
    await writeFile(file, 'nobody needs that')
    const found = await causeway.command(['scrub', '--json'])
    assert.equal(found.code, 1)
    const { damaged } = JSON.parse(found.stdout) as ScrubProgress
    assert.deepEqual(
      damaged.map((each) => [each.region, each.digest, each.kind, each.in]),
      [['home', digest, 'mismatch', [`${NAME}.azurecr.io/app`]]],
    )
    const answer = await registry.send('GET', `/v2/app/blobs/${digest}`)
    assert.equal(answer.status, 404)
    assert.match(answer.body.toString(), /push an image that has it again/)
    assert.match(
      (await causeway.command(['doctor'])).stdout,
      new RegExp(`blobs +1 damaged, the first ${digest}`),
    )
    assert.equal((await push()).status, 201)
    assert.equal((await registry.send('GET', `/v2/app/blobs/${digest}`)).status, 200)
    assert.match((await causeway.command(['doctor'])).stdout, /blobs +none known to be damaged/)
  })

  test('2: refuse a rate that is none', async () => {
    const refused = await causeway.command(['scrub', '--rate', '0'])
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /'0' is not a rate: give --rate a number of MiB/)
  })

  test('1: say so where no server runs', async () => {
    await causeway.end('SIGTERM')
    for (const command of ['gc', 'scrub']) {
      assert.match(failed(await causeway.command([command])), /No server runs/)
    }
  })
})

/** Blobs by digest, and whatever else takes space, by its path in the store. */
async function storedFiles({ dataFolder }: Causeway): Promise<readonly string[]> {
  const store = join(dataFolder, 'registry')
  const found: string[] = []
  for (const name of await readdir(store, { recursive: true })) {
    if (!(await stat(join(store, name))).isFile()) continue
    const blob = /^blobs\/(sha256|sha512)\/..\/([0-9a-f]+)$/.exec(name)
    // An upload that was cut off may be gone on with, for a week.
    if (!name.startsWith('uploads/')) found.push(blob ? `${blob[1]}:${blob[2]}` : name)
  }
  return found.toSorted()
}

async function neededFiles(
  causeway: Causeway,
  clients: readonly ContentClient[],
): Promise<readonly string[]> {
  const samples = await neededByRows(causeway, 'mcr')
  const needed = new Set([...samples, ...clients.flatMap((client) => client.needed())])
  return [...needed].toSorted()
}

/** What the manifests in the database name, of one registry or of all. */
async function neededByRows(
  { dataFolder }: Causeway,
  registry?: string,
): Promise<readonly string[]> {
  const database = new DatabaseSync(join(dataFolder, 'causeway.db'), { readOnly: true })
  try {
    const rows = database
      .prepare(
        `SELECT DISTINCT child FROM registry_manifest_references
        WHERE child_kind = 'blob' AND registry = coalesce(?, registry) ORDER BY child`,
      )
      .all(registry ?? null)
    return rows.map(({ child }) => String(child))
  } finally {
    database.close()
  }
}

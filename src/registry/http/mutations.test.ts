import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { after, before, test } from 'node:test'
import { digestOf } from '../../lib/digest.ts'
import { createSlots } from '../../lib/slots.ts'
import { garble, mutate } from '../testing/mutate.ts'
import { requestsOf, startWorld, type World } from '../testing/mutation-world.ts'
import { exchangeRaw, formatRequest, type RawAnswer, type RawRequest } from '../testing/raw-http.ts'
import { createSeeded, type Seeded } from '../testing/seeded.ts'

const COUNT = Number(process.env.CAUSEWAY_MUTATIONS ?? 10_000)
const SEED = Number(process.env.CAUSEWAY_MUTATIONS_SEED ?? Date.now() % 1_000_000)
const AT_ONCE = 16

/** Everything that the server could write by a path is below it, far enough for a path that climbs. */
let outer: string
let world: World
const closing: (() => Promise<void>)[] = []
const seeded = createSeeded(SEED)

before(async () => {
  outer = await mkdtemp(join(tmpdir(), 'causeway-mutations-'))
  process.env.TMPDIR = join(outer, 'a', 'b', 'c', 'd')
  await mkdir(process.env.TMPDIR, { recursive: true })
  world = await startWorld({ after: (hook) => closing.push(hook) })
})
after(async () => {
  for (const close of closing) await close()
  await rm(outer, { recursive: true, force: true })
})

test(`no mutated request (seed ${SEED}) meets a failure, a crash, or what it may not know of`, async (t) => {
  t.diagnostic(`CAUSEWAY_MUTATIONS_SEED=${SEED}`)
  const inSlot = createSlots(AT_ONCE)
  const statuses = new Map<number, number>()
  const cases = Array.from({ length: Math.ceil(COUNT / 2) }, () => makeCase(seeded))
  const failures: string[] = []
  await Promise.all(
    cases.map(({ texts, isWhole, isStranger }) =>
      inSlot(async () => {
        const answers: (RawAnswer | undefined)[] = []
        for (const text of texts) answers.push(await exchangeRaw(portOf(world), text, isWhole))
        for (const [index, answer] of answers.entries()) {
          const status = answer?.status ?? 0
          statuses.set(status, (statuses.get(status) ?? 0) + 1)
          if (status >= 500 || (isWhole && status === 0))
            failures.push(`${status}: ${texts[index]}`)
        }
        const [known, unknown] = answers.map((answer) => answer && normalise(answer))
        if (isStranger && known !== unknown) failures.push(`${texts[0]}\n${known}\n≠\n${unknown}`)
      }),
    ),
  )
  t.diagnostic(
    [...statuses]
      .toSorted()
      .map(([status, count]) => `${status}: ${count}`)
      .join(', '),
  )
  assert.deepEqual(failures, [])
  // What is refused at the door alone proves nothing of what is behind it.
  const succeeded = [...statuses].reduce(
    (sum, [status, count]) => sum + (status >= 200 && status < 300 ? count : 0),
    0,
  )
  assert.ok(succeeded > COUNT / 50, `${succeeded} of ${COUNT} succeeded`)
  assert.deepEqual(
    world.registry.logged.filter((event) => JSON.stringify(event).includes('request failed')),
    [],
  )
})

test('after them the registry serves what it had', async () => {
  const { registry, secret } = world
  assert.equal((await registry.send('GET', '/v2/')).status, 200)
  const path = '/v2/secret/app/manifests/v1'
  const { headers, body } = await registry.send('GET', path)
  assert.equal(headers['docker-content-digest'], secret.digest)
  assert.equal(digestOf(body), secret.digest)
  assert.equal((await registry.send('GET', `/v2/secret/app/blobs/${secret.layer}`)).status, 200)
})

test('after them there is nothing outside the store, and nothing in it but uploads and whole blobs', async () => {
  const { folder } = world.registry
  for (const file of await filesBelow(outer)) {
    const path = relative(folder, join(outer, file))
    const blob = /^content\/blobs\/(sha256|sha512)\/[0-9a-f]{2}\/([0-9a-f]+)$/.exec(path)
    if (!blob) {
      assert.match(
        path,
        /^(causeway\.db(-\w+)?|removals\.db|content\/uploads\/uid-1\/[0-9a-f]{16}-[0-9a-f-]{36})$/,
      )
      continue
    }
    const algorithm = blob[1] === 'sha512' ? 'sha512' : 'sha256'
    const digest = digestOf(await readFile(join(outer, file)), algorithm)
    assert.equal(digest, `${algorithm}:${basename(path)}`)
  }
})

interface Case {
  /** Two requests of the admin; or one of a stranger about the secret, and the same about what is not there. */
  readonly texts: readonly [string, string]
  readonly isWhole: boolean
  readonly isStranger: boolean
}

function makeCase(random: Seeded): Case {
  const { own, shared, secret, absent, strangers, admin } = world
  const isStranger = random.chance(0.6)
  const credentials = isStranger ? random.pick(strangers) : admin
  const seeds = [random.below(2 ** 32), random.below(2 ** 32)] as const
  if (!isStranger) {
    const target = random.pick(own)
    const requests = requestsOf(world, target, target, credentials)
    const [one, other] = seeds.map((seed) => makeText(createSeeded(seed), requests))
    assert.ok(one && other)
    return { texts: [one.text, other.text], isWhole: one.isWhole && other.isWhole, isStranger }
  }
  const isAboutShared = random.chance(0.4)
  const [about, instead] = [secret, absent].map((source) => {
    const requests = requestsOf(world, isAboutShared ? shared : source, source, credentials)
    // An upload goes on: the second request would find what the first one has changed.
    const alike = requests.filter(({ target }) => !target.startsWith(shared.upload))
    return makeText(createSeeded(seeds[0]), alike)
  })
  assert.ok(about && instead)
  const isWhole = about.isWhole && instead.isWhole
  // What names neither is one request sent twice, and a byte garbled may be a different one in each.
  const isTold = isWhole && about.text !== instead.text
  return { texts: [about.text, instead.text], isWhole, isStranger: isTold }
}

function makeText(random: Seeded, requests: readonly RawRequest[]) {
  const request = mutate(random.pick(requests), random)
  const length = ['Content-Length', String(request.body.length)] as const
  const text = formatRequest({ ...request, headers: [...request.headers, length] })
  const isGarbled = random.chance(0.1)
  const isFramed = !request.headers.some(([name]) => name === 'Transfer-Encoding')
  return { text: isGarbled ? garble(text, random) : text, isWhole: isFramed && !isGarbled }
}

/** What a client can tell answers apart by: chance, and the names and digests that it sent itself, left out. */
function normalise({ status, head, body }: RawAnswer): string {
  return `${status}\n${head}\n${body}`
    .replaceAll(/^(date|x-ms-correlation-request-id|docker-upload-uuid): .*$/gim, '')
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
    .replaceAll(/[0-9a-f]{64}/gi, '<digest>')
    .replaceAll('absent', 'secret')
    .replace(/"detail":.*/, (sent) => sent.replaceAll(/[0-9a-f]+/gi, ''))
    .replaceAll(/"(access|refresh)_token":"[^"]+"/g, '<token>')
}

const portOf = ({ registry }: World): number => Number(registry.address.split(':')[1])

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
}

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Answer, createArmForTests, type TestArm } from '../../../test/support/arm.ts'
import { needs } from '../../../test/support/needs.ts'
import { sharedData } from '../../../test/support/shared-data.ts'
import { provider } from './private-dns-for-tests.ts'

/** One request of `az` to the service, and what the service said. */
interface Interaction {
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly requestHeaders: Readonly<Record<string, string>>
  readonly requestBody: unknown
  readonly status: number
  readonly responseBody: unknown
}

const FOLDER = sharedData('azure/recorded/azure-cli-2023-07/privatedns')

// Recorded where other zones were about, or where the service has since changed its mind.
const OTHER_TODAY = [
  'test_ListZonesInSubscription_MultipleZonesPresent',
  'test_DeleteLink_ZoneNotExists',
  'test_PutRecordSet_ZoneNotExists',
]

let arm: TestArm
before(async () => {
  arm = await createArmForTests({ providers: [provider] })
})
after(() => arm.close())

const here = needs('shared data')
if (here.skip) test('answers as recorded', here)
const files = here.skip ? [] : readdirSync(FOLDER)
for (const file of files.filter((name) => !OTHER_TODAY.some((other) => name.startsWith(other)))) {
  test(`answers as recorded in ${file}`, async () => {
    const recording = readFileSync(join(FOLDER, file), 'utf8')
    const names = recording.matchAll(/resourceGroups\/([^/"?\\]+)/gi)
    const groups = new Set([...names].map(([, name = '']) => name.toLowerCase()))
    for (const group of groups) await arm.group(group)
    try {
      await replay(JSON.parse(recording).interactions, createTranslator())
    } finally {
      for (const group of groups) await arm.deleteAndWait(`resourceGroups/${group}`)
    }
  })
}

async function replay(interactions: readonly Interaction[], translate: Translator) {
  for (const [index, interaction] of interactions.entries()) {
    const path = translate.text(new URL(interaction.url).pathname)
    if (!/\/(virtualNetworks|privateDnsZones)\//i.test(`${path}/`)) continue
    const answer = await send(interaction, path, translate)
    if (/\/virtualNetworks\//i.test(path)) continue

    translate.remember(interaction.responseBody, answer.body)
    const expected = { status: interaction.status, body: interaction.responseBody }
    const where = `${interaction.method} ${path}`
    // The service answers 202 and says later what became of it; here that is done when it is answered.
    if (expected.status === 202) {
      const failure = laterFailure(interactions.slice(index + 1))
      if (!failure) assert.ok(answer.status < 300, `${where}: ${answer.status}`)
      else assert.deepEqual(comparable(answer.body), comparable({ error: failure }), where)
      continue
    }
    assert.equal(answer.status, expected.status, `${where}: ${JSON.stringify(answer.body)}`)
    const body = expected.body ?? undefined
    assert.deepEqual(comparable(answer.body), comparable(translate.value(body)), where)
  }
}

function send(interaction: Interaction, path: string, translate: Translator): Promise<Answer> {
  const headers = Object.fromEntries(
    ['if-match', 'if-none-match'].flatMap((name) => {
      const value = interaction.requestHeaders[name]
      return value === undefined ? [] : [[name, translate.text(value)]]
    }),
  )
  const body = translate.value(parseBody(interaction.requestBody))
  switch (interaction.method) {
    case 'GET':
      return arm.get(path, headers)
    case 'DELETE':
      return arm.delete(path, headers)
    case 'PUT':
      return arm.put(path, body, headers)
    case 'PATCH':
      return arm.patch(path, body, headers)
  }
}

/** Some bodies were kept in Python's way of writing bytes. */
function parseBody(body: unknown): unknown {
  if (typeof body !== 'string') return body
  return JSON.parse(body.replace(/^b'(.*)'$/s, '$1').replaceAll('\\\\', '\\'))
}

/** How the operation ended that a 202 has begun, where it failed. */
function laterFailure(rest: readonly Interaction[]): unknown {
  const end = rest.find(
    ({ url, responseBody }) =>
      url.includes('OperationStatuses') &&
      (responseBody as { status?: string } | null)?.status !== 'InProgress',
  )
  return (end?.responseBody as { error?: unknown } | null | undefined)?.error
}

type Translator = ReturnType<typeof createTranslator>

/** Turns what was recorded into what is the same here: the subscription and the etags. */
function createTranslator() {
  const etags = new Map<string, string>()
  const text = (recorded: string): string =>
    (etags.get(recorded) ?? recorded)
      .replace(/\/subscriptions\/[0-9a-f-]{36}/gi, arm.subscription)
      .replace(/(?<=subscription ')[0-9a-f-]{36}/, arm.settings.subscriptionId)
  const value = (recorded: unknown): unknown => {
    if (typeof recorded === 'string') return text(recorded)
    if (Array.isArray(recorded)) return recorded.map(value)
    if (typeof recorded !== 'object' || recorded === null) return recorded
    return Object.fromEntries(Object.entries(recorded).map(([name, each]) => [name, value(each)]))
  }
  return {
    text,
    value,
    remember(recorded: unknown, ours: unknown) {
      const [theirs, mine] = [recorded, ours].map(
        (body) => (body as { etag?: string } | null)?.etag,
      )
      if (theirs && mine) etags.set(theirs, mine)
    },
  }
}

/** Without etags, quotes, links still at work, and what has changed in the service's SOA and 404 since. */
function comparable(value: unknown): unknown {
  if (typeof value === 'string') {
    const more = ' For more details please go to https://aka.ms/ARMResourceNotFoundFix'
    return value.replace(more, '').replaceAll("'", '')
  }
  // Lists go by names that the recordings hide.
  if (Array.isArray(value)) return value.map(comparable).toSorted(byId)
  if (typeof value !== 'object' || value === null) return value
  const changed = ['etag', 'soaRecord', 'virtualNetworkLinkState']
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !changed.includes(name))
      .map(([name, each]) => [name, comparable(each)]),
  )
}

const byId = (a: unknown, b: unknown): number =>
  idOf(a).toLowerCase() < idOf(b).toLowerCase() ? -1 : Number(idOf(a) !== idOf(b))

const idOf = (value: unknown): string => (value as { id?: string } | null)?.id ?? ''

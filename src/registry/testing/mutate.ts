import { HEADERS, METHODS, NASTY, VALUES } from './nasty-values.ts'
import type { RawRequest } from './raw-http.ts'
import type { Seeded } from './seeded.ts'

type Mutation = (request: RawRequest, seeded: Seeded) => RawRequest

const inTarget =
  (change: (path: string, query: string) => readonly [string, string]): Mutation =>
  (request) => {
    const [path = '', query = ''] = request.target.split(/\?(.*)/s)
    const [changedPath, changedQuery] = change(path, query)
    return { ...request, target: `${changedPath}${changedQuery && '?'}${changedQuery}` }
  }

const segment: Mutation = (request, seeded) =>
  inTarget((path, query) => {
    const segments = path.split('/')
    segments.splice(1 + seeded.below(segments.length), seeded.below(2), seeded.pick(NASTY))
    return [segments.join('/'), query]
  })(request, seeded)

const parameter: Mutation = (request, seeded) =>
  inTarget((path, query) => {
    const names = [
      'n',
      'last',
      'digest',
      'mount',
      'from',
      'tag',
      'artifactType',
      'orderby',
      'scope',
      '_state',
      'service',
      'se',
      'sig',
    ]
    const pairs = query === '' ? [] : query.split('&')
    if (pairs.length > 0 && seeded.chance(0.5)) pairs.splice(seeded.below(pairs.length), 1)
    pairs.push(`${seeded.pick(names)}=${seeded.pick(NASTY)}`)
    return [path, pairs.join('&').replaceAll(' ', '+')]
  })(request, seeded)

const digest: Mutation = (request, seeded) => {
  const wrong = [
    (hex: string) => `sha256:${hex.slice(1)}`,
    (hex: string) => `sha256:${hex}0`,
    (hex: string) => `sha256:${hex.toUpperCase()}`,
    (hex: string) => `sha512:${hex}`,
    (hex: string) => `sha512:${hex}${hex}`,
    (hex: string) => `sha256:${hex.slice(2)}..`,
    (hex: string) => `sha256%3A${hex}`,
    (hex: string) => `md5:${hex}`,
    (hex: string) => `sha256:${[...hex].toReversed().join('')}`,
  ]
  const change = seeded.pick(wrong)
  const put = (text: string) =>
    text.replace(/sha256:([0-9a-f]{64})/, (_, hex: string) => change(hex))
  return { ...request, target: put(request.target), body: put(request.body) }
}

const header: Mutation = (request, seeded) => {
  const name = seeded.pick(Object.keys(HEADERS))
  const others = request.headers.filter(([known]) => known !== name || seeded.chance(0.2))
  return { ...request, headers: [...others, [name, seeded.pick(HEADERS[name] ?? [''])]] }
}

/** A character of the credentials becomes another, or they end early. */
const credentials: Mutation = (request, seeded) => ({
  ...request,
  headers: request.headers.map(([name, value]) => {
    if (name !== 'Authorization' || value.length < 10) return [name, value]
    const at = 7 + seeded.below(value.length - 7)
    const rest = seeded.chance(0.5)
      ? `${seeded.pick(['A', '.', '_', '='])}${value.slice(at + 1)}`
      : ''
    return [name, value.slice(0, at) + rest]
  }),
})

const method: Mutation = (request, seeded) => ({ ...request, method: seeded.pick(METHODS) })

const cutBody: Mutation = (request, seeded) => ({
  ...request,
  body: request.body.slice(0, seeded.below(request.body.length + 1)),
})

const strangeBody: Mutation = (request, seeded) => ({
  ...request,
  body: seeded.pick([
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '\xef\xbb\xbf{}',
    '\xff\xff',
    '['.repeat(20_000),
    '{"a":'.repeat(9000),
    '9'.repeat(9000),
  ]),
})

/** One value in the JSON becomes another. */
const bodyValue: Mutation = (request, seeded) => {
  const tokens = [...request.body.matchAll(/"(?:[^"\\]|\\.)*":?|\d+|\[[^[\]]*\]/g)]
  const values = tokens.filter(([token]) => !token.endsWith(':'))
  if (values.length === 0) return request
  const { 0: value, index } = seeded.pick(values)
  const { body } = request
  const changed = JSON.stringify(seeded.pick(VALUES))
  return { ...request, body: body.slice(0, index) + changed + body.slice(index + value.length) }
}

const MUTATIONS: readonly Mutation[] = [
  segment,
  segment,
  parameter,
  digest,
  header,
  header,
  credentials,
  method,
  cutBody,
  strangeBody,
  bodyValue,
  bodyValue,
]

/** The request with one to three things about it changed; still one request, of the length that it says. */
export function mutate(request: RawRequest, seeded: Seeded): RawRequest {
  let mutated = request
  for (let rest = seeded.pick([1, 1, 1, 2, 3]); rest > 0; rest -= 1) {
    mutated = seeded.pick(MUTATIONS)(mutated, seeded)
  }
  return mutated
}

/** A few bytes become others: it need not be a request any more. */
export function garble(text: string, seeded: Seeded): string {
  const characters = [...text]
  for (let rest = 1 + seeded.below(4); rest > 0; rest -= 1) {
    characters[seeded.below(characters.length)] = String.fromCharCode(seeded.below(256))
  }
  return characters.join('')
}

import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { InjectOptions } from 'fastify'
import { type Logger, pino } from 'pino'
import { type ControlPlane, createControlPlane } from '../../src/arm/control-plane.ts'
import type { Provider, Settings } from '../../src/arm/resource-type.ts'
import type { Authorizer } from '../../src/identity/authorizer.ts'
import type { Principal } from '../../src/identity/principal.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { resourcesProvider } from '../../src/providers/resources/provider.ts'
import type { ChangeFeed } from '../../src/storage/change-feed.ts'
import { createChangeFeed } from '../../src/storage/create-change-feed.ts'
import { type Database, openDatabase } from '../../src/storage/database.ts'

export const SUBSCRIPTION = '00000000-0000-4000-8000-000000000001'
export const API_VERSION = '2024-01-01'

/** Signs in with `Bearer owner`; others with their object id. */
export const OWNER: Principal = {
  objectId: '00000000-0000-4000-8000-0000000000aa',
  appId: '00000000-0000-4000-8000-0000000000ab',
  displayName: 'owner',
  kind: 'ServicePrincipal',
}

const SETTINGS: Settings = {
  tenantId: '00000000-0000-4000-8000-000000000002',
  subscriptionId: SUBSCRIPTION,
  registryDomain: 'azurecr.io',
  privateEndpointsPerRegistry: 10,
}

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape.
  readonly body: any
  readonly headers: Readonly<Record<string, string | number | string[] | undefined>>
}

type Headers = Readonly<Record<string, string>>

export interface TestArm {
  readonly plane: ControlPlane
  readonly feed: ChangeFeed
  readonly database: Database
  readonly settings: Settings
  /** `/subscriptions/…`, without a slash at its end. */
  readonly subscription: string
  /** Paths begin at the root (`/subscriptions/…`) or at the subscription (`resourceGroups/…`). */
  get(path: string, headers?: Headers): Promise<Answer>
  head(path: string, headers?: Headers): Promise<Answer>
  put(path: string, body: unknown, headers?: Headers): Promise<Answer>
  patch(path: string, body: unknown, headers?: Headers): Promise<Answer>
  post(path: string, body?: unknown, headers?: Headers): Promise<Answer>
  delete(path: string, headers?: Headers): Promise<Answer>
  /** The items of all pages. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape.
  list(path: string): Promise<any[]>
  /** Makes a resource group and returns its id. */
  group(name?: string, location?: string): Promise<string>
  /** Deletes and waits for the end of the operation. */
  deleteAndWait(path: string): Promise<Answer>
  close(): Promise<void>
}

/** A control plane with a database of its own; every namespace is registered, everybody known may do everything. */
export async function createArmForTests(
  options: {
    readonly providers?: readonly Provider[]
    readonly settings?: Partial<Settings>
    readonly authorizer?: Authorizer
    readonly principals?: readonly Principal[]
    readonly clock?: Clock
    /** Leaves namespaces as a new subscription has them. */
    readonly registerNothing?: boolean
    readonly feed?: ChangeFeed
    /** Silent unless given; `pino()` shows what a 500 hides. */
    readonly log?: Logger
  } = {},
): Promise<TestArm> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-arm-'))
  const database = await openDatabase(join(folder, 'causeway.db'))
  const log = options.log ?? pino({ level: 'silent' })
  const feed = options.feed ?? createChangeFeed({ log })
  const settings = { ...SETTINGS, ...options.settings }
  const principals = [OWNER, ...(options.principals ?? [])]
  const given = options.providers ?? []
  const hasGroups = given.some((provider) => provider.namespace === resourcesProvider.namespace)
  const providers = (hasGroups ? given : [resourcesProvider, ...given]).map((provider) =>
    options.registerNothing ? provider : { ...provider, registeredByDefault: true },
  )
  const plane = await createControlPlane({
    database,
    providers,
    feed,
    settings,
    log,
    clock: options.clock ?? systemClock,
    authorizer: options.authorizer ?? { isAllowed: () => true },
    sealer: { seal: (text) => `sealed:${text}`, unseal: (sealed) => sealed.slice(7) },
    async authenticate(authorization) {
      const token = authorization?.replace(/^Bearer /, '')
      return token === 'owner' ? OWNER : principals.find((each) => each.objectId === token)
    },
    metadata: (baseUrl) => ({
      legacy: { authentication: { loginEndpoint: `${baseUrl}/login` } },
      list: [{ name: 'Test', authentication: { loginEndpoint: `${baseUrl}/login` } }],
    }),
  })
  await plane.start()

  const subscription = `/subscriptions/${settings.subscriptionId}`
  const urlOf = (path: string) => {
    const full = path.startsWith('/') || path.startsWith('http') ? path : `${subscription}/${path}`
    if (/[?&]api-version=/i.test(full)) return full
    return `${full}${full.includes('?') ? '&' : '?'}api-version=${API_VERSION}`
  }

  async function send(
    method: NonNullable<InjectOptions['method']>,
    path: string,
    body?: unknown,
    headers?: Headers,
  ): Promise<Answer> {
    const answer = await plane.app.inject({
      method,
      url: urlOf(path),
      headers: {
        authorization: 'Bearer owner',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && {
        payload: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    })
    return {
      status: answer.statusCode,
      body: answer.body === '' ? undefined : answer.json(),
      headers: answer.headers,
    }
  }

  return {
    plane,
    feed,
    database,
    settings,
    subscription,
    get: (path, headers) => send('GET', path, undefined, headers),
    head: (path, headers) => send('HEAD', path, undefined, headers),
    put: (path, body, headers) => send('PUT', path, body, headers),
    patch: (path, body, headers) => send('PATCH', path, body, headers),
    post: (path, body, headers) => send('POST', path, body, headers),
    delete: (path, headers) => send('DELETE', path, undefined, headers),
    async list(path) {
      const items: unknown[] = []
      for (let next: string | undefined = path; next; ) {
        const answer = await send('GET', next)
        if (answer.status !== 200) throw new Error(`${answer.status}: ${JSON.stringify(answer)}`)
        items.push(...answer.body.value)
        next = answer.body.nextLink
      }
      return items
    },
    async group(name = `group-${randomUUID()}`, location = 'westeurope') {
      const answer = await send('PUT', `resourceGroups/${name}`, { location })
      return answer.body.id
    },
    async deleteAndWait(path) {
      let answer = await send('DELETE', path)
      while (answer.status === 202) answer = await send('GET', String(answer.headers.location))
      return answer
    },
    async close() {
      await plane.close()
      await database.close()
      await rm(folder, { recursive: true })
    },
  }
}

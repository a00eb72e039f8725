import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Authorizer } from '../identity/authorizer.ts'
import type { Principal } from '../identity/principal.ts'
import type { Clock } from '../lib/clock.ts'
import type { ChangeFeed } from '../storage/change-feed.ts'
import type { Database } from '../storage/database.ts'
import { operationRows } from '../storage/operation-rows.ts'
import { registrationRows } from '../storage/registration-rows.ts'
import { createCatalogue } from './catalogue.ts'
import { createDispatcher } from './dispatch.ts'
import { createExecutor } from './execute-operation.ts'
import { createGuards } from './guards.ts'
import { type CloudMetadata, createHttp } from './http.ts'
import { operationRoutes } from './operation-routes.ts'
import { createOperations } from './operations.ts'
import { isRegistered, providerRoutes } from './provider-routes.ts'
import type { Engine } from './resource-handlers.ts'
import { resourceListRoutes } from './resource-list-routes.ts'
import { createResourceReader, type ResourceReader } from './resource-reader.ts'
import type { Provider, Settings } from './resource-type.ts'
import type { Sealer, Services } from './services.ts'
import { subscriptionRoutes } from './subscription-routes.ts'
import { createTransactions } from './transactions.ts'

export interface ControlPlaneOptions {
  readonly database: Database
  readonly providers: readonly Provider[]
  readonly feed: ChangeFeed
  /** Who a request comes from, by its `Authorization` header; undefined where that does not tell. */
  authenticate(authorization: string | undefined): Promise<Principal | undefined>
  readonly authorizer: Authorizer
  readonly sealer: Sealer
  readonly settings: Settings
  readonly clock: Clock
  readonly log: Logger
  /** `baseUrl` is the origin that the client called, `https://management.azure.com`. */
  metadata(baseUrl: string): CloudMetadata
}

export interface ControlPlane {
  /** Called by `app.routing(request, response)`. */
  readonly app: FastifyInstance
  /** For the adapters: committed state. */
  readonly resources: ResourceReader
  /** Takes up operations that were running when the process ended. */
  start(): Promise<void>
  close(): Promise<void>
}

/** Azure Resource Manager over the given providers. */
export async function createControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { database, settings, authorizer, sealer, clock, log } = options
  const catalogue = createCatalogue(options.providers)
  const services: Services = { catalogue, settings, authorizer, sealer, clock }
  const transactions = createTransactions(services, database, options.feed)
  const registrations = registrationRows(database.kysely)
  const guards = createGuards(services, (provider) => isRegistered(registrations, provider))
  const operations = createOperations({
    rows: operationRows(database.kysely),
    sealer,
    clock,
    log,
    execute: createExecutor(services, transactions),
  })
  const engine: Engine = { services, transactions, operations, guards }
  const dispatch = createDispatcher(engine, [
    ...subscriptionRoutes(engine),
    ...providerRoutes(engine, registrations),
    ...resourceListRoutes(engine),
    ...operationRoutes(engine),
  ])
  const app = createHttp({
    dispatch,
    authenticate: options.authenticate,
    metadata: options.metadata,
    settings,
    log,
  })
  await app.ready()
  return {
    app,
    resources: createResourceReader(database),
    start: () => operations.resume(),
    async close() {
      await app.close()
      await operations.close()
    },
  }
}

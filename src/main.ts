import type { Config } from './config.ts'
import { openAuthorities } from './front/authorities.ts'
import { addMetrics } from './installation/add-metrics.ts'
import { careForContent } from './installation/care-for-content.ts'
import { createNames } from './installation/create-names.ts'
import { createPlanes } from './installation/create-planes.ts'
import { makePlaces } from './installation/make-places.ts'
import { openAudit } from './installation/open-audit.ts'
import { openOutside } from './installation/open-outside.ts'
import { openPrincipals } from './installation/open-principals.ts'
import { openStores, type Progress } from './installation/open-stores.ts'
import { openVaultSecrets } from './installation/open-vault-secrets.ts'
import { openWorkers } from './installation/open-workers.ts'
import { type AsOwner, operate } from './installation/operate.ts'
import { serveHost } from './installation/serve-host.ts'
import { systemClock as clock } from './lib/clock.ts'
import { type Closing, createClosing } from './lib/closing.ts'
import { createMetrics } from './metrics/create-metrics.ts'
import type { attachProgram } from './operator/attach.ts'
import type { AttachRequest, ServerStatus } from './operator/contract.ts'
import { whatIsMissing } from './operator/readiness.ts'
import { describeServer } from './operator/server-status.ts'
import { PlacesNotInEffect } from './places/place-errors.ts'

export interface Server {
  status(): Promise<ServerStatus>
  attach(request: AttachRequest): ReturnType<typeof attachProgram>
  /** A client of the public interface with the owner's rights, for as long as `work` takes. */
  readonly asOwner: AsOwner
  /** Settles when `causeway down` asks for the end. */
  readonly shutDownAsked: Promise<void>
  /** Takes the places down, ends what runs, keeps the data. */
  close(): Promise<void>
}

/**
 * The composition root: stores, principals, planes, names, places, the host, the operator, in this order. What is in
 * each of them says its file in `installation/`.
 *
 * @throws CannotStart
 */
export async function startServer(config: Config, progress: Progress): Promise<Server> {
  const closing = createClosing()
  try {
    return await compose(config, progress, closing)
  } catch (error) {
    await closing.close()
    throw error
  }
}

async function compose(config: Config, progress: Progress, closing: Closing): Promise<Server> {
  const startedAt = clock.now().toISOString()
  const { hostNames } = config.controlPlane
  // Who comes before places must know what runs in them, and what works as the owner needs the port of the host.
  const inPlaces = () => places.list().flatMap(({ programs }) => programs.map(({ id }) => id))
  const asOwner: AsOwner = (work) => {
    const { certificateFile } = authorities.host
    return who.ownWork.run(work, { ...who, url: `https://localhost:${host.port}`, certificateFile })
  }

  const opened = await openStores(config, progress, closing)
  const workers = openWorkers(opened, config, closing)
  const { stores } = workers
  const { folder, log, settings } = stores
  const step = (reached: string): void =>
    log.debug({ reached, ms: Math.round(performance.now()) }, 'starting')
  step('stores')
  const who = await openPrincipals(stores, { hostNames, inPlaces }, closing)
  step('principals')
  const outside = await openOutside(stores, config, () => host.port)
  const secrets = await openVaultSecrets(config.keyVault.secretsFile, log)
  const { exposition, ...metrics } = createMetrics(config.version)
  const audit = openAudit(stores, config, metrics, closing)
  const { trail } = audit
  const { cache } = config
  const inside = { places: () => places.list(), asOwner }
  const registryMetrics = workers.shared(metrics)
  const options = { ...inside, outside, secrets, cache, metrics, registryMetrics, trail }
  const { start, ...created } = await createPlanes(stores, who, options, closing)
  step('planes')
  const content = careForContent(stores, created, config, closing)
  // Connections wait until they have begun; meanwhile the rest is made.
  const begun = workers.begin(who, created, { metrics, trail })
  begun.catch(() => {})
  const served = { ...created, ...workers.serving(created.planes) }
  const names = createNames(stores, served, config, metrics)
  const { registryDomain } = settings
  const authorities = await openAuthorities(folder.authorities, { registryDomain, hostNames })
  step('authorities')
  const places = makePlaces(stores, who, { ...served, ...names, authorities }, closing)
  addMetrics(metrics, stores, { ...served, places: () => places.list() })
  // Until all is in effect for the first time; then what is missing of it.
  let whyNotReady = (): readonly string[] => ['it is starting']
  // Before the places are made: a port that is taken is told of at once.
  const host = await serveHost(
    stores,
    config,
    { ...served, dns: names.hostDns, authorities, whyNotReady: () => whyNotReady(), exposition },
    closing,
  )
  step('host')
  const support = await places.support()
  step('support')
  if (support.available) {
    await progress.step('places', () => places.reconcile()).catch(toleratePartialEffect)
  }
  step('places')
  await who.homes.tidy()
  await who.identities.tidy()
  step('tidy')
  await begun
  step('workers')

  const status: Server['status'] = async () =>
    describeServer({
      version: config.version,
      startedAt,
      dataFolder: folder.path,
      port: host.port,
      authorities,
      settings,
      host: host.describe(),
      workers: workers.list(),
      support,
      places: places.list(),
      imports: served.imports(),
    })
  const { reopenLog } = workers
  const parts = {
    ...{ ...served, ...names, status, asOwner, places, content, reopenLog },
    audit: audit.reader,
  }
  const { attach, shutDownAsked } = await operate(stores, who, parts, closing)
  step('operator')
  await start()
  content.start()
  whyNotReady = () => whatIsMissing({ support, places: places.list() })
  log.info({ version: config.version, port: host.port, mark: folder.mark }, 'serving')
  return { status, attach, asOwner, shutDownAsked, close: () => closing.close() }
}

/** The other places are in effect; the status tells of those that are not. */
function toleratePartialEffect(error: unknown): void {
  if (!(error instanceof PlacesNotInEffect)) throw error
}

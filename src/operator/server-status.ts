import type { PlaceStatus } from '../places/place-status.ts'
import type { Support } from '../places/support.ts'
import type { HostSummary, ImportSummary, ServerStatus, WorkerSummary } from './contract.ts'
import { whatIsMissing } from './readiness.ts'

/** Puts together what `causeway status` tells; degraded without places, or with one that is not in effect. */
export function describeServer(options: {
  readonly version: string
  readonly startedAt: string
  readonly dataFolder: string
  readonly port: number
  readonly authorities: {
    readonly place: { readonly certificateFile: string }
    readonly host: { readonly certificateFile: string }
    readonly placeBundle: string
    readonly hostBundle: string
  }
  readonly settings: {
    readonly tenantId: string
    readonly subscriptionId: string
    readonly registryDomain: string
  }
  readonly host: HostSummary
  readonly workers: readonly WorkerSummary[]
  readonly support: Support
  readonly places: readonly PlaceStatus[]
  readonly imports: readonly ImportSummary[]
}): ServerStatus {
  const { authorities, settings, support, places, port } = options
  const url = `https://localhost:${port}`
  return {
    state: whatIsMissing(options).length === 0 ? 'serving' : 'degraded',
    version: options.version,
    pid: process.pid,
    startedAt: options.startedAt,
    dataFolder: options.dataFolder,
    port,
    urls: {
      control: `${url}/`,
      authority: `${url}/adfs`,
      metadata: `${url}/metadata/endpoints`,
    },
    authorities: {
      place: authorities.place.certificateFile,
      host: authorities.host.certificateFile,
      bundle: authorities.placeBundle,
      hostBundle: authorities.hostBundle,
    },
    tenantId: settings.tenantId,
    subscriptionId: settings.subscriptionId,
    registryDomain: settings.registryDomain,
    host: options.host,
    workers: options.workers,
    places,
    imports: options.imports,
    ...(!support.available && { placesUnavailable: support }),
  }
}

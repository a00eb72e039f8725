import { randomUUID } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import { originOf } from '../../lib/origin.ts'
import type { Subject } from '../access/grants.ts'
import type { Exchange } from '../http/exchange.ts'
import type { RegistryFacts } from '../registry-directory.ts'

/** Who did something, as the audit trail names them. */
export interface Caller {
  readonly kind: 'ServicePrincipal' | 'User' | 'Admin' | 'Token' | 'Anonymous'
  /** Object id of a principal; a user name; empty for nobody. */
  readonly id: string
  readonly name: string
}

/** By which request something was done, by whom and from where. Plain data: it may come from another process. */
export interface Occasion {
  /** ARM id. */
  readonly registryId: string
  readonly loginServer: string
  readonly region: string
  readonly correlationId: string
  /** When the request came, ISO 8601. */
  readonly time: string
  readonly caller: Caller
  /** The client's address as the service sees it; empty where it came by no connection. */
  readonly address: string
  readonly place: string
  /** ARM id of the private endpoint; absent on the public side. */
  readonly endpoint?: string
  readonly host: string
  readonly method: string
  readonly userAgent: string
}

/** Users whom the registry alone knows. */
const LOCAL_KINDS = { admin: 'Admin', token: 'Token' } as const

const NOBODY: Caller = { kind: 'Anonymous', id: '', name: '' }
const USER_AGENT_LENGTH_MAX = 512

/** What a request is known by. */
export type Followed = Pick<Exchange, 'request' | 'registry' | 'record'>

/** What is known of a request now. */
export function occasionOf({ request, registry, record }: Followed): Occasion {
  const origin = originOf(request)
  const occasion: Occasion = {
    registryId: registry.id,
    loginServer: registry.loginServer,
    region: record.region ?? registry.homeRegion,
    correlationId: record.correlationId,
    time: record.time.toISOString(),
    caller: callerOf(record.subject),
    address: origin.address,
    place: origin.via === 'host' ? 'host' : origin.place,
    host: request.headers.host ?? '',
    method: request.method ?? '',
    userAgent: (request.headers['user-agent'] ?? '').slice(0, USER_AGENT_LENGTH_MAX),
  }
  return origin.via === 'endpoint' ? { ...occasion, endpoint: origin.endpoint } : occasion
}

/** What is known of an import, which comes by the control plane. */
export const occasionOfErrand = (
  registry: RegistryFacts,
  { caller = NOBODY }: { readonly caller?: Caller },
  clock: Clock,
): Occasion => ({
  registryId: registry.id,
  loginServer: registry.loginServer,
  region: registry.homeRegion,
  correlationId: randomUUID(),
  time: clock.now().toISOString(),
  caller,
  address: '',
  place: '',
  host: registry.loginServer,
  method: 'POST',
  userAgent: '',
})

function callerOf(subject: Subject | undefined): Caller {
  if (!subject || subject.kind === 'anonymous') return NOBODY
  if (subject.kind === 'principal') {
    const { objectId, displayName, kind } = subject.principal
    return { kind, id: objectId, name: displayName }
  }
  const { kind, username } = subject
  return { kind: LOCAL_KINDS[kind], id: username, name: username }
}

import type { Clock } from '../../lib/clock.ts'
import { type Followed, occasionOf } from './occasion.ts'
import type { AuditEvent, RepositoryOperation } from './registry-events.ts'
import type { Asked, RequestRecord } from './request-record.ts'

/** `whole`: the request does it; `part`: it is one of several that together do. */
interface Operation {
  readonly name: RepositoryOperation
  readonly extent: 'whole' | 'part'
}

/**
 * What the audit trail keeps of a request that is over. Undefined for what is recorded with the change that it made, for
 * single blobs and lists, and for the question without credentials that begins every client's conversation.
 */
export function auditEventOf(
  followed: Followed,
  status: number,
  clock: Clock,
): AuditEvent | undefined {
  const { record, request } = followed
  const operation = record.asked && operationOf(record.asked, request.method ?? '')
  const durationMs = clock.now().getTime() - record.time.getTime()
  const refusal = status >= 400 && record.errorCode ? { errorCode: record.errorCode } : undefined
  if (isLogin(followed, status)) {
    const { caller, ...rest } = occasionOf(followed)
    const { triedName } = record
    const shown = triedName === undefined ? caller : { ...caller, id: triedName, name: triedName }
    const occasion = { ...rest, caller: shown }
    return { table: 'login', occasion, operation: 'Login', status, durationMs, ...refusal }
  }
  if (!operation || !isKept(operation, record, status)) return undefined
  const { name } = operation
  const occasion = occasionOf(followed)
  const target = targetOf(record)
  return {
    table: 'repository',
    occasion,
    operation: name,
    status,
    durationMs,
    ...refusal,
    ...target,
  }
}

/** Whether somebody tried to prove who they are, or was turned away before they could. */
function isLogin({ request, record }: Followed, status: number): boolean {
  if (record.isTurnedAway) return true
  const { authorization } = request.headers
  switch (record.asked?.kind) {
    case 'token':
    case 'token_exchange':
      return true
    case 'base':
      return /^basic /i.test(authorization ?? '') || (status === 401 && authorization !== undefined)
    default:
      return status === 401 && record.subject === undefined && authorization !== undefined
  }
}

function isKept({ name, extent }: Operation, { subject }: RequestRecord, status: number): boolean {
  const isRefused = status === 401 || status === 403
  if (isRefused) return subject !== undefined
  if (extent === 'part') return false
  return status >= 400 || name === 'Pull' || name === 'Update'
}

function operationOf(asked: Asked, method: string): Operation | undefined {
  switch (`${method} ${asked.kind}`) {
    case 'GET manifest':
      return { name: 'Pull', extent: 'whole' }
    case 'PUT manifest':
      return { name: 'Push', extent: 'whole' }
    case 'DELETE manifest':
      return { name: isByTag(asked) ? 'Untag' : 'Delete', extent: 'whole' }
    case 'DELETE blob':
    case 'DELETE acr_repository':
    case 'DELETE acr_manifest':
      return { name: 'Delete', extent: 'whole' }
    case 'DELETE acr_tag':
      return { name: 'Untag', extent: 'whole' }
    case 'PATCH acr_repository':
    case 'PATCH acr_tag':
    case 'PATCH acr_manifest':
      return { name: 'Update', extent: 'whole' }
    case 'GET blob':
    case 'GET tags':
    case 'GET referrers':
      return { name: 'Pull', extent: 'part' }
    case 'POST uploads':
    case 'PATCH upload':
    case 'PUT upload':
      return { name: 'Push', extent: 'part' }
    default:
      return undefined
  }
}

const isByTag = (asked: Asked): boolean => 'reference' in asked && 'tag' in asked.reference

function targetOf({ asked, manifest }: RequestRecord): Partial<AuditEvent> {
  if (!asked || !('repository' in asked) || asked.repository === undefined) return {}
  const { repository } = asked
  const named = 'reference' in asked ? asked.reference : asked
  // A manifest's own digest goes before what it was asked for by, and that is the same.
  if ('tag' in named && named.tag !== undefined) return { repository, tag: named.tag, ...manifest }
  if ('digest' in named && named.digest !== undefined) {
    return { repository, digest: named.digest, ...manifest }
  }
  return { repository, ...manifest }
}

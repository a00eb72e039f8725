import type { AuditReader } from '../audit/create-audit-reader.ts'
import type { Resolver } from '../dns/resolver.ts'
import type { Closing } from '../lib/closing.ts'
import { attachProgram } from '../operator/attach.ts'
import { listAudit } from '../operator/audit.ts'
import type { AttachRequest, ServerStatus } from '../operator/contract.ts'
import { listNetworks } from '../operator/networks.ts'
import { serveOperator } from '../operator/operator-api.ts'
import { type PrincipalOptions, principalOperations } from '../operator/principals.ts'
import { resolveName } from '../operator/resolve.ts'
import type { Places } from '../places/create-places.ts'
import type { NetworkSource } from '../places/network-source.ts'
import type { ArmClient } from '../rehearsal/arm-client.ts'
import type { ContentCare } from './care-for-content.ts'
import type { PrincipalsAtWork } from './open-principals.ts'
import type { Stores } from './open-stores.ts'

/** Gives `work` a client of the public interface with the owner's rights, for as long as it takes. */
export type AsOwner = <T>(work: (arm: ArmClient) => Promise<T>) => Promise<T>

/** What the owner's commands do, over the socket in the data folder. */
export async function operate(
  { folder, log, settings }: Stores,
  who: PrincipalsAtWork,
  parts: {
    readonly status: () => Promise<ServerStatus>
    readonly asOwner: AsOwner
    readonly places: Places
    readonly networks: NetworkSource
    readonly roles: Pick<PrincipalOptions, 'assignmentsOf' | 'customRoleName'>
    readonly resolver: Resolver
    readonly hostResolver: Resolver
    readonly reopenLog: () => Promise<void>
    readonly audit: AuditReader
    readonly content: Pick<ContentCare, 'collector' | 'scrubber'>
  },
  closing: Closing,
) {
  const { tenantId, subscriptionId } = settings
  const { principals, applications, credentials, homes, identities, hostPrograms } = who
  const { status, asOwner, places, networks, content } = parts
  const ownerName = who.owner.displayName
  const attach = (request: AttachRequest) =>
    attachProgram(request, {
      places,
      networks,
      principals,
      tenantId,
      subscriptionId,
      homes,
      identities,
      ownerName,
    })
  const { promise: shutDownAsked, resolve: shutDown } = Promise.withResolvers<void>()
  const operator = await serveOperator({
    socket: folder.operatorSocket,
    operations: {
      status,
      attach,
      startOnHost: hostPrograms.start,
      listNetworks: () => listNetworks(networks),
      reopenLog: parts.reopenLog,
      shutDown,
      listAudit: (request) => listAudit(request, { reader: parts.audit, tenantId }),
      resolve: (request) => resolveName(request, parts),
      listGarbage: () => content.collector.candidates(),
      collectGarbage: ({ ignoresGrace = false }) =>
        content.collector.collect({ sweeps: true, ignoresGrace }),
      scrub: (request) => content.scrubber.step(request),
      ...principalOperations({
        principals,
        applications,
        credentials,
        ...parts.roles,
        asOwner,
        tenantId,
        subscriptionId,
        ownerName,
      }),
    },
    log,
  })
  closing.add(() => operator.close())
  return { attach, shutDownAsked }
}

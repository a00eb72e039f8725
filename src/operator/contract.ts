/** What the command line and the server say to each other over the operator's socket. */

export interface ServerStatus {
  /** `serving`: all of it; `degraded`: without places, or with one that is not as it should be. */
  readonly state: 'serving' | 'degraded'
  readonly version: string
  readonly pid: number
  readonly startedAt: string
  readonly dataFolder: string
  readonly port: number
  readonly urls: { readonly control: string; readonly authority: string; readonly metadata: string }
  readonly authorities: {
    /** CA of the names inside places, CA of localhost, and the trust stores for programs in places and on the host; PEM files. */
    readonly place: string
    readonly host: string
    readonly bundle: string
    readonly hostBundle: string
  }
  readonly tenantId: string
  readonly subscriptionId: string
  readonly registryDomain: string
  readonly host: HostSummary
  /** The processes that serve registries; none: the server itself does. */
  readonly workers: readonly WorkerSummary[]
  readonly places: readonly PlaceSummary[]
  /** Images that come from registries elsewhere now. */
  readonly imports: readonly ImportSummary[]
  /** Why there are no places, where there are none. */
  readonly placesUnavailable?: { readonly cause: string; readonly cure: string }
}

export interface WorkerSummary {
  readonly slot: number
  /** Absent for a moment, while one takes the other's place. */
  readonly pid?: number
  readonly state: 'serving' | 'starting'
  /** How often it had to be replaced. */
  readonly replaced: number
}

/** An image on its way here. `blobs` and `bytes` are of what was lacking when it began. */
export interface ImportSummary {
  /** `host/repository:tag`, or by digest. */
  readonly from: string
  readonly to: readonly string[]
  readonly state: 'waiting' | 'running'
  readonly since: string
  readonly blobs: { readonly done: number; readonly of: number }
  readonly bytes: { readonly done: number; readonly of: number }
}

/** What the host itself serves, beside places. Sockets are `127.0.0.1:7443`, that of loopback first. */
export interface HostSummary {
  readonly registries: readonly string[]
  readonly controlPlane: readonly string[]
  readonly names: readonly string[]
  /** Why there is no resolver on loopback, where there is none. */
  readonly namesUnavailable?: { readonly cause: string; readonly cure: string }
  readonly health: readonly string[]
  /** Those that the operator brought. `problem`: what should be done about one. */
  readonly certificates: readonly {
    readonly chainFile: string
    readonly names: readonly string[]
    readonly expiresAt: string
    readonly problem?: string
  }[]
}

export interface PlaceSummary {
  readonly place: string
  /** The network's name, or `internet`. */
  readonly name: string
  readonly resourceGroup?: string
  readonly namespace: string
  readonly state: 'ready' | 'failed'
  /** Why it failed. */
  readonly cause?: string
  /** Addresses on which private endpoints listen. */
  readonly listeners: readonly { readonly address: string; readonly host: string }[]
  /** Programs in the place. */
  readonly programs: readonly { readonly id: string; readonly address: string }[]
}

/** Where a program is to run, and as whom. */
export interface AttachRequest {
  readonly where:
    | { readonly internet: true }
    | {
        readonly network: string
        readonly resourceGroup?: string | undefined
        readonly subnet?: string | undefined
      }
  /** A principal's name; the owner by default. */
  readonly as?: string | undefined
  /** The user who will run the program, and so own its configuration folders. */
  readonly uid: number
  readonly gid: number
}

/** One line, sent when the program may start; the answer stays open as long as it runs. */
export interface Attached {
  readonly id: string
  readonly place: string
  readonly placeName: string
  readonly address: string
  readonly namespace: string
  /** How to get in. */
  readonly entry: {
    readonly file: string
    readonly holder: { readonly pid: number; readonly uid: number; readonly gid: number }
  }
  readonly files: {
    readonly resolvConf: string
    readonly hosts: string
    readonly nsswitch: string
    readonly caBundle: string
  }
  /** Folder of the program's own configuration: `az`, Docker, registry credentials. */
  readonly home: string
  readonly credentials: {
    readonly tenantId: string
    readonly clientId: string
    readonly clientSecret: string
    readonly subscriptionId: string
  }
}

/** As whom a program on the host, outside every place, is to run. */
export type HostRequest = Pick<AttachRequest, 'as' | 'uid' | 'gid'>

/** One line, sent when the program may start; its credentials sleep when the connection closes. */
export interface HostProgram {
  /** The principal's name. */
  readonly name: string
  readonly home: Attached['home']
  readonly credentials: Attached['credentials']
}

export interface PrincipalSummary {
  readonly name: string
  readonly kind: 'ServicePrincipal' | 'User'
  readonly appId: string
  readonly objectId: string
}

/** A principal and what it may do. */
export interface DescribedPrincipal extends PrincipalSummary {
  /** What a person signs in with; absent for a program. */
  readonly userName?: string
  /** `scope` is an ARM id, or `/` for everything. */
  readonly roles: readonly { readonly role: string; readonly scope: string }[]
}

/** A virtual network and its subnets, by name. */
export interface NetworkSummary {
  readonly name: string
  readonly resourceGroup: string
  readonly subnets: readonly string[]
}

export interface NewPrincipal {
  readonly name: string
  readonly role?: string | undefined
  readonly scope?: string | undefined
  /** PEM. It signs in by the certificate's key, and has no secret. */
  readonly certificate?: string | undefined
  /** A person, who signs in with a password. */
  readonly user?: boolean | undefined
}

export interface CreatedPrincipal extends PrincipalSummary {
  /** What a person signs in with; absent for a program. */
  readonly userName?: string
  /** Absent for one that has a certificate. */
  readonly secret?: string
  readonly tenantId: string
  readonly subscriptionId: string
  readonly role?: string
  readonly scope?: string
}

/** Which events of the audit trail, and where to begin: `after` an event upwards, `before` one or from the end downwards. */
export interface AuditRequest {
  readonly table?: 'login' | 'repository'
  /** A registry's name or login server. */
  readonly registry?: string
  readonly repository?: string
  /** ISO 8601. */
  readonly since?: string
  readonly after?: number
  readonly before?: number
  readonly limit?: number
}

/** Events in the order in which they were written. A page may be empty although there is more. */
export interface AuditAnswer {
  /** With the columns of Azure Monitor's tables; `TimeGenerated` and `Type` are in each. */
  readonly events: readonly Readonly<Record<string, string | number>>[]
  /** The next `after` or `before`. */
  readonly reached: number
  readonly hasMore: boolean
  /** Where those who follow go on. */
  readonly newest: number
}

/** A name to be looked up as one sees it from somewhere. */
export interface ResolveRequest {
  readonly where: AttachRequest['where'] | { readonly host: true }
  readonly name: string
  /** `A`, `AAAA`, …; in any case. */
  readonly type: string
}

export interface Resolved {
  /** The network's name, `internet` or `host`. */
  readonly place: string
  readonly name: string
  readonly type: string
  readonly rcode: 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED'
  /** TTL in seconds, value in the presentation form. */
  readonly answers: readonly {
    readonly name: string
    readonly type: string
    readonly ttl: number
    readonly value: string
  }[]
  /** What decided, step by step. Ids are those of ARM. */
  readonly reasons: readonly {
    readonly name: string
    readonly rule: string
    readonly zone?: string
    readonly link?: string
    readonly recordSet?: string
  }[]
}

/** Something that the garbage collector will take, unless it is used until then. Times are ISO 8601. */
export interface GarbageCandidate {
  readonly kind: 'blob' | 'manifest'
  readonly digest: string
  /** In bytes. */
  readonly size: number
  /** `registry/repository` that has it; absent for a blob that no repository has. */
  readonly from?: string
  readonly reason: string
  readonly since: string
  readonly due: string
}

export interface CollectRequest {
  /** Takes also what is still in its grace. */
  readonly ignoresGrace?: boolean
}

/** What one run of the garbage collector has done. */
export interface Collected {
  readonly untaggedManifests: number
  readonly purgedManifests: number
  readonly unlinkedBlobs: number
  readonly removedBlobs: number
  readonly removedBytes: number
  /** From further regions. */
  readonly removedCopies: number
  /** Files stay because a backup is being made. */
  readonly held: boolean
}

export interface ScrubRequest {
  /** How fast it reads at most. */
  readonly bytesPerSecond?: number
  /** Begins anew, wherever an earlier one stopped. */
  readonly restarts?: boolean
}

/** How far the scrub has come, and what it has found. Times are ISO 8601. */
export interface ScrubProgress {
  readonly startedAt: string
  /** Absent while there is more to read. */
  readonly finishedAt?: string
  readonly blobs: number
  readonly bytes: number
  /** At its beginning. */
  readonly allBlobs: number
  readonly allBytes: number
  /** Those of earlier scrubs included, as long as they are not whole again. */
  readonly damaged: readonly DamagedBlob[]
  /** What was whole again since the scrub before. */
  readonly repaired: readonly (DamagedBlob & { readonly repairedAt: string })[]
  /** Regions whose blobs could not be read; the log tells why. */
  readonly unreadRegions: readonly string[]
}

/** A blob where it is, or was, damaged. */
export interface DamagedBlob {
  /** `home`, or the region of replicas. */
  readonly region: string
  readonly digest: string
  /** `mismatch`: it has other bytes and was set aside; `missing`: there is none. */
  readonly kind: 'mismatch' | 'missing'
  readonly foundAt: string
  /** `registry/repository` that have it there. */
  readonly in: readonly string[]
}

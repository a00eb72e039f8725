import type { Principal } from '../identity/principal.ts'
import type { Static, TObject } from '../lib/schema.ts'
import type { ResourceId } from './resource-id.ts'

/** Who touched a resource and when, as every ARM resource shows it. */
export interface SystemData {
  readonly createdBy: string
  readonly createdByType: 'Application' | 'User'
  readonly createdAt: string
  readonly lastModifiedBy: string
  readonly lastModifiedByType: 'Application' | 'User'
  readonly lastModifiedAt: string
}

/** A resource as it is stored: one canonical document, secrets (sealed) included. */
export interface Resource<P = Record<string, unknown>> {
  readonly id: string
  readonly type: string
  readonly name: string
  readonly location?: string
  readonly tags?: Readonly<Record<string, string>>
  /** Top-level members that only some types have: `sku`, `identity`, `zones`, … */
  readonly top: Readonly<Record<string, unknown>>
  readonly properties: P
  /** A bare token; the engine puts it into the form that the type's clients expect. */
  readonly etag: string
  readonly systemData: SystemData
}

/** What a client may say of a resource, parsed: defaults applied, read-only input dropped. */
export interface ResourceBody<P = Record<string, unknown>> {
  readonly location?: string
  readonly tags?: Readonly<Record<string, string>>
  readonly top?: Readonly<Record<string, unknown>>
  readonly properties: P
}

/** The service side of private link: what a private endpoint may connect to in a resource. */
export interface PrivateLinkTarget {
  readonly resource: Resource
  /** The child type that holds the connections of this target. */
  readonly connectionType: string
  /** The RBAC action whose holder's endpoints are approved at once. */
  readonly approvalAction: string
  readonly groups: readonly PrivateLinkGroup[]
}

export interface PrivateLinkGroup {
  readonly groupId: string
  /** In the order in which the service assigns addresses. `name` is the required member's name. */
  readonly members: readonly { readonly name: string; readonly fqdn: string }[]
  readonly zoneNames: readonly string[]
}

/**
 * What a hook may see and do. Everything happens inside the one transaction of the request: a throw undoes it all.
 * Ids are compared without regard to case.
 */
export interface Context {
  readonly now: Date
  /** Who asked. */
  readonly principal: Principal
  readonly settings: Settings
  /** In an operation: aborted when the server ends, which takes the operation up again at its next start. */
  readonly signal?: AbortSignal
  /** A fresh random guid. */
  uuid(): string
  get<P = Record<string, unknown>>(id: string): Promise<Resource<P> | undefined>
  /** Direct children of one type, ordered by name. */
  children<P = Record<string, unknown>>(
    parentId: string,
    type: string,
  ): Promise<readonly Resource<P>[]>
  /** How many stored children of one type there are. */
  count(parentId: string, type: string): Promise<number>
  /** All resources of one type, anywhere. */
  all<P = Record<string, unknown>>(type: string): Promise<readonly Resource<P>[]>
  /** Resources of one type whose `references` name this id, all unless told how many are enough. */
  referrers<P = Record<string, unknown>>(
    id: string,
    type: string,
    atMost?: number,
  ): Promise<readonly Resource<P>[]>
  isAllowed(action: string, scope: string): boolean
  /** What a private endpoint finds at an id; undefined where nothing is, or nothing that can be linked to. */
  privateLinkTarget(id: string): Promise<PrivateLinkTarget | undefined>
  /** Asks the target's type to take one more endpoint; throws its ArmError where it does not. */
  acceptEndpoint(targetId: string, endpointId: string): Promise<void>
  /** A PUT as a client would make it (schema, `validate`, `provision`), without a second authorisation. */
  put(id: string, body: ResourceBody): Promise<Resource>
  /** A DELETE as a client would make it; nothing happens where nothing is. */
  delete(id: string): Promise<void>
  /** Stores what the platform itself decides: no schema marks, no `validate`, no `provision`. Equal content is no change. */
  write(id: string, body: ResourceBody): Promise<Resource>
  /** Removes without asking the type; children go with it. */
  erase(id: string): Promise<void>
  /** Encrypts a secret for the store. */
  seal(text: string): string
  unseal(sealed: string): string
}

/** What types need to know of this installation. */
export interface Settings {
  readonly tenantId: string
  readonly subscriptionId: string
  /** Without a leading dot: `azurecr.io`. */
  readonly registryDomain: string
  readonly privateEndpointsPerRegistry: number
}

/** A sub-operation of one resource, whose properties are `P`. */
export interface Action<P = Record<string, unknown>> {
  readonly method: 'GET' | 'POST'
  /** The RBAC action's last part, `listCredentials/action`; `read` for a GET by default. */
  readonly permission?: string
  /** Answers 202 with a `Location` to poll and runs as a durable operation, outside the request's transaction. */
  readonly asynchronous?: boolean
  /** Writes no resource, so that it runs outside of a transaction; a GET always does. */
  readonly writesNothing?: boolean
  /** Before an asynchronous action is accepted: refuses what can be told at once. Throws ArmError. */
  readonly check?: (target: Resource<P>, body: unknown, context: Context) => Promise<void>
  /** Returns the body of the 200 answer, or undefined for none. `segments` is what follows the action's name in the path. */
  readonly run: (
    target: Resource<P>,
    body: unknown,
    context: Context,
    segments: readonly string[],
  ) => Promise<unknown>
}

/**
 * One resource type, declared in one place. The engine owns verbs, routes, status codes, etags, paging, locks,
 * authorisation and operations; a type says what differs. Hooks know neither HTTP nor SQL.
 */
export interface ResourceType<T extends TObject = TObject> {
  /** `Namespace/type[/subtype]` in Azure's own case. */
  readonly type: string
  /** Newest first. Any other version is accepted as well. */
  readonly apiVersions: readonly string[]
  /** `required`: tracked, with location and tags; `global`: the same with one location; `none`: a proxy resource. */
  readonly location: 'required' | 'global' | 'none'
  readonly properties: T
  /** Further top-level members (`sku`), parsed as `properties` are. */
  readonly top?: TObject
  /** What a name must match; the engine answers 400 otherwise. */
  readonly name?: RegExp
  /** How etags look on the wire: `W/"…"` (networking), bare (private DNS), or none at all (registries). */
  readonly etag: 'weak' | 'bare' | 'none'
  /** The 404 for one resource, where the service does not use ARM's own words. */
  readonly notFound?: (id: string) => Error
  /**
   * What 412s call an instance, as private DNS does: `Zone`, followed by its name, or a whole phrase made of its id.
   * Without it they speak ARM's own words.
   */
  readonly noun?: string | ((id: string) => string)
  /** Shows `systemData`, as registries do and networking does not. */
  readonly showsSystemData?: boolean
  /** The status of a PUT that replaces; 200 unless said, 201 for role assignments. */
  readonly replacedStatus?: 200 | 201
  /** May be put on anything: a subscription, a group, a resource (`Microsoft.Authorization/roleAssignments`). */
  readonly extension?: boolean
  /**
   * The id under which an extension is kept, where it is the same from every scope (role definitions). Rights are
   * asked at the scope of the request. Throws ArmError for one that nobody may write: a built-in role, a scope map of
   * the system's.
   */
  readonly home?: (id: ResourceId, settings: Settings) => string
  /** Instances that are computed, not stored, or found from every scope; `id` is as asked for. Others are stored under it. */
  readonly find?: (id: string, context: Context) => Promise<Resource<Static<T>> | undefined>
  /** What a collection holds, where that is not simply what lies in the scope. `filter` is the raw `$filter`. */
  readonly list?: (
    scope: string,
    filter: string | undefined,
    context: Context,
  ) => Promise<readonly Resource<Static<T>>[]>
  /** Renders errors without the `error` envelope, as private DNS does for record sets. */
  readonly bareErrors?: boolean
  /** Clients may not PUT or DELETE it at all, or only what exists already. */
  readonly writable?: 'always' | 'existing' | 'never'
  /**
   * What PATCH does: takes only tags (networking), merges everything (the default), or replaces each property it
   * names as a whole (record sets, their metadata for one).
   */
  readonly patch?: 'merge' | 'replace' | 'tags'
  /** Ids that the resource points at, kept as edges for `referrers` and `reconcile`. */
  readonly references?: (resource: ResourceBody<Static<T>>) => readonly string[]
  /** Rules across properties or resources. Throws ArmError. `next.id` is canonical. */
  readonly validate?: (
    next: Resource<Static<T>>,
    previous: Resource<Static<T>> | undefined,
    context: Context,
  ) => Promise<void> | void
  /** Makes it real; returns the properties it changed. Idempotent. */
  readonly provision?: (
    next: Resource<Static<T>>,
    context: Context,
    previous: Resource<Static<T>> | undefined,
  ) => Promise<Partial<Static<T>>> | Partial<Static<T>>
  /** Runs after the resource (with what `provision` returned) is stored: here children are written. Idempotent. */
  readonly provisioned?: (
    stored: Resource<Static<T>>,
    context: Context,
    previous: Resource<Static<T>> | undefined,
  ) => Promise<void>
  /** Refuses (before it changes anything) or undoes. Children are still there; the engine erases them afterwards. */
  readonly deprovision?: (last: Resource<Static<T>>, context: Context) => Promise<void> | void
  /**
   * Called, inside the same transaction, after something it depends on was written or removed: what it references,
   * anything within what it references, or its parent. Returns its new properties, or undefined to stay as it is;
   * may also write or erase by the context, itself included. Called until nothing changes any more.
   */
  readonly reconcile?: (
    current: Resource<Static<T>>,
    context: Context,
  ) => Promise<Static<T> | undefined>
  /** The properties a client sees, where they are more than what is stored. */
  readonly present?: (
    stored: Resource<Static<T>>,
    context: Context,
    apiVersion: string,
  ) => Promise<Record<string, unknown>>
  /** The further top-level members a client sees, where they are more than what is stored (`sku.tier`). */
  readonly presentTop?: (
    stored: Resource<Static<T>>,
    apiVersion: string,
  ) => Readonly<Record<string, unknown>>
  /** Sub-operations by name: `listCredentials`, `privateLinkResources`. */
  readonly actions?: Readonly<Record<string, Action<Static<T>>>>
  /** What this type offers to private endpoints. */
  readonly privateLink?: {
    readonly connectionType: string
    readonly approvalAction: string
    readonly groups: (
      target: Resource<Static<T>>,
      context: Context,
    ) => Promise<readonly PrivateLinkGroup[]>
    readonly accept: (
      target: Resource<Static<T>>,
      endpointId: string,
      context: Context,
    ) => Promise<void>
  }
}

/** Keeps the schema's type through to the hooks. */
export const defineResourceType = <T extends TObject>(declaration: ResourceType<T>) => declaration

/** A namespace: its types and what it answers at subscription level. */
export interface Provider {
  /** `Microsoft.Network`. */
  readonly namespace: string
  /** Whether a new subscription has it registered. */
  readonly registeredByDefault: boolean
  // biome-ignore lint/suspicious/noExplicitAny: a catalogue holds types of every schema.
  readonly types: readonly ResourceType<any>[]
  /** POST or GET `/subscriptions/{s}/providers/{namespace}/{name}`. */
  readonly subscriptionActions?: Readonly<Record<string, SubscriptionAction>>
  /** GET of a collection that is none of one type, such as a zone's `ALL`: keyed by `<parent type>/<segment>`. */
  readonly collections?: Readonly<Record<string, readonly string[]>>
}

export interface SubscriptionAction {
  readonly method: 'GET' | 'POST'
  readonly permission: string
  readonly run: (subscriptionId: string, body: unknown, context: Context) => Promise<unknown>
}

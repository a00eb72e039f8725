import { ArmError } from './arm-error.ts'
import { invalidContent } from './gateway-errors.ts'
import type { Document } from './ledger.ts'
import { settleLocation } from './location.ts'
import { placeOf } from './parents.ts'
import { checkPreconditions, type Preconditions } from './preconditions.ts'
import type { ResourceId } from './resource-id.ts'
import type { Resource, ResourceType } from './resource-type.ts'
import { findForbiddenChange, isObject, shapeInput, withoutWriteOnly } from './shape.ts'
import { parseTags } from './tags.ts'
import type { Unit } from './unit.ts'

/** A body as it came, its members not yet looked at. */
export interface RawBody {
  readonly location?: unknown
  readonly tags?: unknown
  /** Where the type's further top-level members are found; others are ignored. */
  readonly top: Readonly<Record<string, unknown>>
  readonly properties: unknown
}

/**
 * Creates or replaces: shape, create-only check, `validate`, `provision`, store, `provisioned`.
 *
 * @throws ArmError whatever ARM or the type has against it.
 */
export async function putResource(
  unit: Unit,
  type: ResourceType,
  id: ResourceId,
  body: RawBody,
  preconditions: Preconditions = {},
): Promise<{ readonly resource: Resource; readonly created: boolean }> {
  const { services, ledger, context } = unit
  const place = await placeOf(services, ledger.rows, type, id)
  const previous = await ledger.rows.byKey(id.key)
  checkPreconditions(type, id.name, previous, preconditions)
  if (type.name && !previous && !type.name.test(id.name)) throw invalidName(type, id)

  const wanted = shapeDocument(type, previous?.id ?? place.id, id.name, body, previous)
  if (previous) refuseForbiddenChange(type, wanted, previous)
  const next: Resource = {
    ...wanted,
    name: previous?.name ?? id.name,
    etag: previous?.etag ?? '',
    systemData: previous?.systemData ?? NOBODY,
  }
  await type.validate?.(next, previous, context)
  const provided = (await type.provision?.(next, context, previous)) ?? {}
  const { etag: _, systemData: __, ...document } = next
  const stored = await ledger.store(
    {
      ...document,
      properties: { ...withoutWriteOnly(type.properties, next.properties), ...provided },
    },
    'touched',
  )
  await type.provisioned?.(stored, context, previous)
  return { resource: stored, created: !previous }
}

// Only until the ledger has stored it.
const NOBODY = {
  createdBy: '',
  createdByType: 'Application',
  createdAt: '',
  lastModifiedBy: '',
  lastModifiedByType: 'Application',
  lastModifiedAt: '',
} as const

function shapeDocument(
  type: ResourceType,
  id: string,
  name: string,
  body: RawBody,
  previous: Resource | undefined,
): Document {
  const { properties } = body
  if (properties !== undefined && properties !== null && !isObject(properties)) {
    throw invalidContent("An object is expected. Path 'properties'")
  }
  const location = settleLocation(type, id, body.location, previous)
  const tags = type.location === 'none' ? undefined : parseTags(body.tags)
  return {
    id,
    type: type.type,
    name,
    ...(location !== undefined && { location }),
    ...(tags && { tags }),
    top: type.top ? shapeInput(type.top, body.top, previous?.top, '') : {},
    properties: shapeInput(type.properties, properties, previous?.properties, 'properties'),
  }
}

function refuseForbiddenChange(type: ResourceType, next: Document, previous: Resource): void {
  const inProperties = findForbiddenChange(type.properties, next.properties, previous.properties)
  const inTop = type.top && findForbiddenChange(type.top, next.top, previous.top)
  const target = inTop ?? (inProperties && `properties.${inProperties}`)
  if (!target) return
  throw new ArmError(409, {
    code: 'PropertyChangeNotAllowed',
    message: `Changing property '${inTop ?? inProperties}' is not allowed.`,
    target,
  })
}

const invalidName = (type: ResourceType, id: ResourceId) =>
  new ArmError(400, {
    code: 'InvalidResourceName',
    message: `Resource name ${id.name} is invalid for the resource type '${type.type}'.`,
    target: id.name,
  })

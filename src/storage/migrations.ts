import type { Migration } from 'kysely/migration'
import { createResources } from './migrations/0001-resources.ts'
import { createPrincipals } from './migrations/0002-principals.ts'
import { createRegistryContent } from './migrations/0003-registry-content.ts'
import { createDirectory } from './migrations/0004-directory.ts'
import { createAttributes } from './migrations/0005-attributes.ts'
import { createLifecycle } from './migrations/0006-lifecycle.ts'
import { createEvents } from './migrations/0007-events.ts'
import { createUpstreamTags } from './migrations/0008-upstream-tags.ts'
import { createReplicas } from './migrations/0011-replicas.ts'
import { createMendingAndCounters } from './migrations/0012-mending-and-counters.ts'
import { keepEventTexts } from './migrations/0013-event-texts.ts'

export type Migrations = Readonly<Record<string, Migration>>

/**
 * Every migration there is, in order. Names are never changed once released. All that are due run in one transaction;
 * one that makes a table anew says `PRAGMA defer_foreign_keys=ON` first.
 */
export const MIGRATIONS: Migrations = {
  '0001-resources': createResources,
  '0002-principals': createPrincipals,
  '0003-registry-content': createRegistryContent,
  '0004-directory': createDirectory,
  '0005-attributes': createAttributes,
  '0006-lifecycle': createLifecycle,
  '0007-events': createEvents,
  '0008-upstream-tags': createUpstreamTags,
  '0011-replicas': createReplicas,
  '0012-mending-and-counters': createMendingAndCounters,
  '0013-event-texts': keepEventTexts,
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuditEvent } from '../registry/events/registry-events.ts'
import { openDatabase } from '../storage/database.ts'
import { createAuditReader } from './create-audit-reader.ts'
import { createAuditTrail } from './create-audit-trail.ts'

interface Lifetime {
  after(hook: () => Promise<void>): void
}

/** An audit trail in a database of its own. */
export async function openTrail(t: Lifetime) {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-audit-'))
  const database = await openDatabase(join(folder, 'causeway.db'))
  const logged: unknown[] = []
  const trail = createAuditTrail({
    kysely: database.kysely,
    clock: { now: () => new Date('2026-05-01T10:00:01Z') },
    log: { error: (...event: unknown[]) => void logged.push(event) },
  })
  t.after(async () => {
    await trail.close()
    await database.close()
    await rm(folder, { recursive: true, force: true })
  })
  return { database, trail, logged, reader: createAuditReader(database.reader) }
}

/** A pull of `app:v1`, but for what the test says. */
export const pull = (
  change: Partial<AuditEvent> = {},
  occasion: Partial<AuditEvent['occasion']> = {},
): AuditEvent => ({
  table: 'repository',
  operation: 'Pull',
  status: 200,
  durationMs: 3,
  repository: 'app',
  tag: 'v1',
  ...change,
  occasion: {
    registryId:
      '/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/one',
    loginServer: 'one.azurecr.io',
    region: 'westeurope',
    correlationId: 'c1',
    time: '2026-05-01T10:00:00.000Z',
    caller: { kind: 'User', id: 'object-somebody', name: 'somebody' },
    address: '10.0.0.9',
    place: 'net-12345678',
    host: 'one.azurecr.io',
    method: 'GET',
    userAgent: 'a client',
    ...occasion,
  },
})

import { randomUUID, X509Certificate } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'
import type { Clock } from '../lib/clock.ts'
import type { Database } from '../storage/database.ts'
import { makeSecret, secretRow } from './secrets.ts'

interface Timed {
  readonly id: string
  readonly displayName: string | null
  readonly startsAt: string | null
  readonly expiresAt: string | null
}

export interface Password extends Timed {
  readonly hint: string | null
}

export interface Certificate extends Timed {
  readonly certificate: X509Certificate
}

/** Tokens of `issuer` about `subject` stand for the principal. */
export interface FederatedCredential {
  readonly id: string
  readonly name: string
  readonly issuer: string
  readonly subject: string
  readonly audiences: readonly string[]
  readonly description: string | null
  /** The issuer's keys, as registered: there is no way to the issuer to ask. */
  readonly keys: JSONWebKeySet
}

/** What principals sign in with, by object id. What is shown never holds a secret. */
export interface Credentials {
  passwords(objectId: string): Promise<readonly Password[]>
  /** Times are ISO 8601 in UTC. */
  addPassword(
    objectId: string,
    wanted: { displayName?: string | undefined; startsAt: string; expiresAt: string },
  ): Promise<{ readonly password: Password; readonly secret: string }>
  /** Tokens that it obtained end with it. False where there is none. */
  removePassword(objectId: string, id: string): Promise<boolean>
  certificates(objectId: string): Promise<readonly Certificate[]>
  /** Replaces all of them, which keeps those of the same id. */
  setCertificates(objectId: string, wanted: readonly Certificate[]): Promise<void>
  federated(objectId: string): Promise<readonly FederatedCredential[]>
  /** Replaces the one with this id, if there is one. */
  putFederated(objectId: string, wanted: FederatedCredential): Promise<void>
  removeFederated(objectId: string, id: string): Promise<void>
}

export function createCredentials(options: { database: Database; clock: Clock }): Credentials {
  const { database, clock } = options
  const { kysely } = database
  return {
    async passwords(objectId) {
      const rows = await kysely
        .selectFrom('principal_secrets')
        .select(['id', 'display_name', 'hint', 'starts_at', 'expires_at'])
        .where('object_id', '=', objectId)
        .where('owner', 'is', null)
        .orderBy('created_at')
        .execute()
      return rows.map((row) => ({ ...timed(row), hint: row.hint }))
    },

    async addPassword(objectId, wanted) {
      const secret = makeSecret()
      const row = secretRow(objectId, secret, { now: clock.now(), ...wanted })
      await kysely.insertInto('principal_secrets').values(row).execute()
      return { secret, password: { ...timed(row), hint: row.hint } }
    },

    async removePassword(objectId, id) {
      const { numDeletedRows } = await kysely
        .deleteFrom('principal_secrets')
        .where('object_id', '=', objectId)
        .where('owner', 'is', null)
        .where('id', '=', id.toLowerCase())
        .executeTakeFirst()
      return numDeletedRows > 0n
    },

    async certificates(objectId) {
      const rows = await kysely
        .selectFrom('principal_certificates')
        .selectAll()
        .where('object_id', '=', objectId)
        .orderBy('starts_at')
        .execute()
      return rows.map((row) => ({
        ...timed(row),
        certificate: new X509Certificate(Buffer.from(row.certificate)),
      }))
    },

    async setCertificates(objectId, wanted) {
      await kysely.transaction().execute(async (transaction) => {
        await transaction
          .deleteFrom('principal_certificates')
          .where('object_id', '=', objectId)
          .execute()
        for (const { id, certificate, displayName, startsAt, expiresAt } of wanted) {
          await transaction
            .insertInto('principal_certificates')
            .values({
              id,
              object_id: objectId,
              certificate: certificate.raw,
              display_name: displayName,
              starts_at: startsAt ?? certificate.validFromDate.toISOString(),
              expires_at: expiresAt ?? certificate.validToDate.toISOString(),
            })
            .execute()
        }
      })
    },

    async federated(objectId) {
      const rows = await kysely
        .selectFrom('federated_credentials')
        .selectAll()
        .where('object_id', '=', objectId)
        .orderBy('name')
        .execute()
      return rows.map(({ object_id: _, audiences, keys, ...row }) => ({
        ...row,
        audiences: JSON.parse(audiences) as string[],
        keys: JSON.parse(keys) as JSONWebKeySet,
      }))
    },

    async putFederated(objectId, { audiences, keys, ...wanted }) {
      const texts = { audiences: JSON.stringify(audiences), keys: JSON.stringify(keys) }
      await kysely
        .insertInto('federated_credentials')
        .values({ object_id: objectId, ...wanted, ...texts })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ ...wanted, ...texts }))
        .execute()
    },

    async removeFederated(objectId, id) {
      await kysely
        .deleteFrom('federated_credentials')
        .where('object_id', '=', objectId)
        .where('id', '=', id)
        .execute()
    },
  }
}

/** A certificate as a credential, good as long as it says itself. */
export const certificateOf = (certificate: X509Certificate, displayName?: string): Certificate => ({
  id: randomUUID(),
  displayName: displayName ?? null,
  startsAt: certificate.validFromDate.toISOString(),
  expiresAt: certificate.validToDate.toISOString(),
  certificate,
})

const timed = (row: {
  id: string
  display_name: string | null
  starts_at: string | null
  expires_at: string | null
}): Timed => ({
  id: row.id,
  displayName: row.display_name,
  startsAt: row.starts_at,
  expiresAt: row.expires_at,
})

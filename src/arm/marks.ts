import type { TSchema } from '../lib/schema.ts'

/** Marks on properties: they travel with the schema and are honoured by the engine. */
export const READ_ONLY = 'readOnly'
export const CREATE_ONLY = 'x-create-only'
export const SECRET = 'x-secret'
export const WRITE_ONLY = 'x-write-only'

/** Only the platform writes it; what a client sends is dropped. */
export const readOnly = <T extends TSchema>(schema: T): T => ({ ...schema, [READ_ONLY]: true })

/** May be set at creation and never changed after: 409 otherwise. */
export const createOnly = <T extends TSchema>(schema: T): T => ({ ...schema, [CREATE_ONLY]: true })

/** A secret in the clear, for hooks to seal: they see what a client gave, the store and other clients never do. */
export const writeOnly = <T extends TSchema>(schema: T): T => ({ ...schema, [WRITE_ONLY]: true })

/** Never presented. */
export const secret = <T extends TSchema>(schema: T): T => ({ ...schema, [SECRET]: true })

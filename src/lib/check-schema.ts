import { createRequire } from 'node:module'
import type { Static, TSchema } from './schema.ts'

export interface SchemaFault {
  /** A JSON pointer. */
  readonly instancePath: string
  readonly message: string
}

const require = createRequire(import.meta.url)

// Only what clients write is checked, and a start should not wait for what checks it.
const typebox = () => require('typebox/schema') as typeof import('typebox/schema')

/** Whether a value is what the schema says. */
export const isOfSchema = <S extends TSchema>(schema: S, value: unknown): value is Static<S> =>
  typebox().Check(schema, value)

/** All that keeps it from being that. */
export const faultsOf = (schema: TSchema, value: unknown): readonly SchemaFault[] =>
  typebox().Errors(schema, value)[1]

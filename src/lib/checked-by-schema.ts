import type { FastifySchemaCompiler, FastifyServerOptions } from 'fastify'
import { faultsOf } from './check-schema.ts'
import type { TSchema } from './schema.ts'

type Fields = TSchema & {
  readonly properties?: Readonly<Record<string, { readonly type?: string }>>
}

const checkerOf: FastifySchemaCompiler<Fields> = ({ schema, httpPart = 'body' }) => {
  return (sent: unknown) => {
    const value = httpPart === 'querystring' ? withNumbers(schema, sent) : sent
    const [fault] = faultsOf(schema, value)
    if (!fault) return { value }
    return { error: new Error(`${httpPart}${fault.instancePath} ${fault.message}`) }
  }
}

/**
 * How Fastify checks what it is sent. Its own compilers would be loaded, and run, at every start; no answer of ours is
 * written by a schema.
 */
export const CHECKED_BY_SCHEMA = {
  compilersFactory: {
    buildValidator: () => checkerOf,
    buildSerializer: () => () => JSON.stringify,
  },
  // Its types know of Ajv's compilers alone.
} as unknown as NonNullable<FastifyServerOptions['schemaController']>

/** A query has texts only. */
function withNumbers({ properties = {} }: Fields, query: unknown): unknown {
  return Object.fromEntries(
    Object.entries(query as Readonly<Record<string, unknown>>).map(([name, text]) => {
      const isNumber = properties[name]?.type === 'integer' && /^\d+$/.test(String(text))
      return [name, isNumber ? Number(text) : text]
    }),
  )
}

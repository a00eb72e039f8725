import { OciError, type OciErrorCode } from '../registry/http/oci-error.ts'
import { StorageFull } from '../storage/blob-store.ts'
import type { ErrorMakers } from './rpc.ts'

/** The errors that are more than their words to whoever catches them. */
export const REGISTRY_ERRORS: ErrorMakers = {
  OciError: ({ message, fields }, options) =>
    new OciError(fields.code as OciErrorCode, fields.detail, {
      ...options,
      message,
      headers: fields.headers as Readonly<Record<string, string>>,
    }),
  StorageFull: (_plain, options) => new StorageFull(options),
}

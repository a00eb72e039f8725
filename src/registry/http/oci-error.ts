/**
 * The codes of the distribution specification and of ACR; each fixes its status and words.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
 */
const OCI_ERRORS = {
  BLOB_UNKNOWN: { status: 404, message: 'blob unknown to registry' },
  BLOB_UPLOAD_INVALID: { status: 400, message: 'blob upload invalid' },
  BLOB_UPLOAD_UNKNOWN: { status: 404, message: 'blob upload unknown to registry' },
  CONFLICT: { status: 409, message: 'the request conflicts with what is there' },
  DENIED: { status: 403, message: 'requested access to the resource is denied' },
  DIGEST_INVALID: { status: 400, message: 'provided digest did not match uploaded content' },
  MANIFEST_BLOB_UNKNOWN: { status: 400, message: 'blob unknown to registry' },
  MANIFEST_INVALID: { status: 400, message: 'manifest invalid' },
  MANIFEST_UNKNOWN: { status: 404, message: 'manifest unknown' },
  NAME_INVALID: { status: 400, message: 'invalid repository name' },
  NAME_UNKNOWN: { status: 404, message: 'repository name not known to registry' },
  NOT_FOUND: { status: 404, message: 'the path is not served here' },
  PAGINATION_NUMBER_INVALID: { status: 400, message: 'invalid number of results requested' },
  RANGE_INVALID: { status: 416, message: 'the range does not follow what was received so far' },
  SIZE_INVALID: { status: 400, message: 'provided length did not match content length' },
  STORAGE_FULL: { status: 507, message: 'the registry has no space left' },
  TAG_INVALID: { status: 400, message: 'manifest tag did not match URI' },
  TAG_UNKNOWN: { status: 404, message: 'the specified tag does not exist' },
  TOO_LARGE: { status: 413, message: 'the manifest is larger than 4 MiB' },
  UNAUTHORIZED: {
    status: 401,
    message:
      'authentication required, visit https://aka.ms/acr/authorization for more information.',
  },
  UNKNOWN: { status: 500, message: 'the registry failed to process the request' },
  UNSUPPORTED: { status: 405, message: 'The operation is unsupported.' },
} as const satisfies Record<string, { status: number; message: string }>

export type OciErrorCode = keyof typeof OCI_ERRORS

interface OciErrorOptions extends ErrorOptions {
  /** Instead of the code's own words. */
  readonly message?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The only error the registry plane answers with. The message is public; the internal reason goes into `cause`. */
export class OciError extends Error {
  override readonly name = 'OciError'
  readonly code: OciErrorCode
  readonly status: number
  readonly detail: unknown
  readonly headers: Readonly<Record<string, string>>

  constructor(code: OciErrorCode, detail?: unknown, options: OciErrorOptions = {}) {
    super(options.message ?? OCI_ERRORS[code].message, options)
    this.code = code
    this.status = OCI_ERRORS[code].status
    this.detail = detail
    this.headers = options.headers ?? {}
  }

  toJSON(): unknown {
    const error = { code: this.code, message: this.message }
    return { errors: [this.detail === undefined ? error : { ...error, detail: this.detail }] }
  }
}

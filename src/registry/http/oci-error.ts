interface OciErrorKind {
  readonly status: number
  readonly message: string
  /** What a client reads, where it is not the name here. */
  readonly code?: string
}

/**
 * What can go wrong; each fixes its status and words. The specification closes its list of codes: whatever else is refused
 * below 500 goes under the nearest of them. TAG_UNKNOWN is ACR's, at its own paths.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes
 */
const OCI_ERRORS = {
  ATTRIBUTES_INVALID: { status: 400, message: 'invalid attributes' },
  BLOB_UNKNOWN: { status: 404, message: 'blob unknown to registry' },
  BLOB_UPLOAD_INVALID: { status: 400, message: 'blob upload invalid' },
  BLOB_UPLOAD_UNKNOWN: { status: 404, message: 'blob upload unknown to registry' },
  CONFLICT: {
    status: 409,
    code: 'DENIED',
    message: 'the request conflicts with what is there',
  },
  DENIED: { status: 403, message: 'requested access to the resource is denied' },
  DIGEST_INVALID: { status: 400, message: 'provided digest did not match uploaded content' },
  MANIFEST_BLOB_UNKNOWN: {
    status: 400,
    message: 'manifest references a manifest or blob unknown to registry',
  },
  MANIFEST_INVALID: { status: 400, message: 'manifest invalid' },
  MANIFEST_UNKNOWN: { status: 404, message: 'manifest unknown' },
  NAME_INVALID: { status: 400, message: 'invalid repository name' },
  NAME_UNKNOWN: { status: 404, message: 'repository name not known to registry' },
  NOT_FOUND: { status: 404, code: 'UNSUPPORTED', message: 'the path is not served here' },
  PAGINATION_NUMBER_INVALID: {
    status: 400,
    code: 'UNSUPPORTED',
    message: 'n must be a whole number of results',
  },
  RANGE_INVALID: {
    status: 416,
    code: 'BLOB_UPLOAD_INVALID',
    message: 'the range does not follow what was received so far',
  },
  RANGE_UNSATISFIABLE: {
    status: 416,
    code: 'SIZE_INVALID',
    message: 'the blob has no such range',
  },
  // https://github.com/Azure/acr-cli/issues/70
  REGISTRY_DISALLOWED_OPERATION: {
    status: 405,
    message:
      'The operation is disallowed on this registry, repository or image. View troubleshooting steps at https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation',
  },
  SIZE_INVALID: { status: 400, message: 'provided length did not match content length' },
  STORAGE_FULL: { status: 507, message: 'the registry has no space left' },
  // Clients show a message that comes under a code that they know.
  TAG_STAYS: { status: 409, code: 'DENIED', message: 'the tag stays on what was pushed first' },
  TAG_INVALID: { status: 400, code: 'MANIFEST_INVALID', message: 'invalid tag' },
  TAG_UNKNOWN: { status: 404, message: 'the specified tag does not exist' },
  TOOMANYREQUESTS: { status: 429, message: 'too many requests' },
  TOO_LARGE: { status: 413, code: 'SIZE_INVALID', message: 'the manifest is larger than 4 MiB' },
  UNAUTHORIZED: {
    status: 401,
    message:
      'authentication required, visit https://aka.ms/acr/authorization for more information.',
  },
  UNAVAILABLE: { status: 503, message: 'the registry cannot do this right now; try again' },
  UNKNOWN: { status: 500, message: 'the registry failed to process the request' },
  UNSUPPORTED: { status: 405, message: 'The operation is unsupported.' },
} as const satisfies Record<string, OciErrorKind>

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
    const kind: OciErrorKind = OCI_ERRORS[this.code]
    const error = { code: kind.code ?? this.code, message: this.message }
    return { errors: [this.detail === undefined ? error : { ...error, detail: this.detail }] }
  }
}

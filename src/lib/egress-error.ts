/** Why nothing came back from outside. */
export type EgressFailure =
  /** Not a URL that may be fetched: not https, or with credentials in it. */
  | 'bad-url'
  /** A name or address that nobody may be sent to from here. */
  | 'refused-target'
  | 'unresolved'
  | 'unreachable'
  | 'tls'
  | 'timeout'
  /** The connection broke off, or what came was not HTTP. */
  | 'broken-off'
  | 'too-large'
  | 'redirects'
  | 'cancelled'

/** Of the first three one cannot be told from another: what listens or has a name on the inside is nobody's business. */
const TEXTS: Readonly<Record<EgressFailure, (host: string) => string>> = {
  'refused-target': notReached,
  unresolved: notReached,
  unreachable: notReached,
  'bad-url': (host) => `'${host}' is no https address without credentials.`,
  tls: (host) => `'${host}' did not show a certificate that is trusted here.`,
  timeout: (host) => `'${host}' took too long to answer.`,
  'broken-off': (host) => `'${host}' broke the connection off.`,
  'too-large': (host) => `'${host}' sent more than was asked for.`,
  redirects: (host) => `'${host}' redirected too often, or to an address without https.`,
  cancelled: (host) => `The request to '${host}' was cancelled.`,
}

/** The message is public, the cause is not. */
export class EgressError extends Error {
  override readonly name = 'EgressError'
  readonly kind: EgressFailure

  constructor(kind: EgressFailure, host: string, options?: ErrorOptions) {
    super(TEXTS[kind](host), options)
    this.kind = kind
  }
}

function notReached(host: string): string {
  return `'${host}' cannot be reached from here. If it is in a private network, whoever runs this service has to allow it.`
}

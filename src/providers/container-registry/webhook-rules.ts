import { invalidProperty } from '../../arm/arm-error.ts'
import { isRepositoryName, isTag } from '../../registry/http/oci-path.ts'

const URI_LENGTH_MAX = 2048
const HEADERS_MAX = 32
const HEADERS_LENGTH_MAX = 8192

// https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/
/** What the request itself says of its connection, its length, or who sent it. */
const OWN =
  /^(?:connection|content-length|expect|host|keep-alive|te|trailer|transfer-encoding|upgrade|x-causeway-.*)$/i

/** `http` is taken as by the service; that nothing is sent there the webhook's events tell. @throws ArmError */
export function checkServiceUri(serviceUri: string): void {
  const at = 'properties.serviceUri'
  const url = URL.canParse(serviceUri) ? new URL(serviceUri) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || serviceUri.length > URI_LENGTH_MAX) {
    throw invalidProperty(
      at,
      `it must be an https address of at most ${URI_LENGTH_MAX} characters.`,
    )
  }
  if (url.username || url.password) {
    throw invalidProperty(at, 'credentials belong into customHeaders, not into the address.')
  }
}

/** @throws ArmError */
export function checkCustomHeaders(headers: Readonly<Record<string, string>>): void {
  const at = 'properties.customHeaders'
  const entries = Object.entries(headers)
  const length = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  if (entries.length > HEADERS_MAX || length > HEADERS_LENGTH_MAX) {
    throw invalidProperty(
      at,
      `there may be ${HEADERS_MAX} headers with ${HEADERS_LENGTH_MAX} characters in all.`,
    )
  }
  for (const [name, value] of entries) {
    if (!TOKEN.test(name)) throw invalidProperty(at, `'${name}' is no name of a header.`)
    if (OWN.test(name)) throw invalidProperty(at, `the header '${name}' cannot be set.`)
    if (!VALUE.test(value)) throw invalidProperty(at, `the value of '${name}' cannot be sent.`)
  }
}

/** @throws ArmError */
export function checkScope(scope: string): void {
  if (scope === '') return
  const [repository = '', tag = 'latest', ...rest] = scope.split(':')
  if (rest.length === 0 && isRepositoryName(repository) && (tag === '*' || isTag(tag))) return
  throw invalidProperty(
    'properties.scope',
    `'${scope}' is none: give 'repository:tag', 'repository:*', 'repository' for its tag 'latest', or nothing for all.`,
  )
}

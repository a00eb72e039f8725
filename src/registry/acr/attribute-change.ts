import type { Attributes } from '../content/attributes.ts'
import { type Exchange, readBody } from '../http/exchange.ts'
import { OciError } from '../http/oci-error.ts'

/** Far above the four that there are. */
const BODY_BYTES_MAX = 4096

const NAMES: readonly (keyof Attributes)[] = [
  'deleteEnabled',
  'writeEnabled',
  'readEnabled',
  'listEnabled',
]

/**
 * The body of a PATCH: any of the attributes, or none, which changes nothing.
 *
 * @throws OciError ATTRIBUTES_INVALID for anything else. What the service says then is not known.
 */
export async function readAttributeChange({ request }: Exchange): Promise<Partial<Attributes>> {
  const bytes = await readBody(request, BODY_BYTES_MAX, () => invalid('the body is too long'))
  if (bytes.length === 0) return {}
  const body = parseObject(bytes.toString())
  for (const [name, value] of Object.entries(body)) {
    if (!NAMES.some((known) => known === name)) {
      throw invalid(`'${name}' is none of ${NAMES.join(', ')}`)
    }
    if (typeof value !== 'boolean') throw invalid(`${name} must be true or false`)
  }
  return body as Partial<Attributes>
}

function parseObject(text: string): object {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    throw new OciError('ATTRIBUTES_INVALID', 'the body is not JSON', { cause: error })
  }
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
  throw invalid('the body is not an object')
}

const invalid = (reason: string): OciError => new OciError('ATTRIBUTES_INVALID', reason)

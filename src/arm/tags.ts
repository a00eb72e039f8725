import { GatewayError } from './arm-error.ts'
import { invalidContent } from './gateway-errors.ts'
import { isObject } from './shape.ts'

const TAGS_MAX = 50
const TAG_NAME_LENGTH_MAX = 512
const TAG_VALUE_LENGTH_MAX = 256

/** The tags of a body; undefined where it has none. @throws ArmError 400 */
export function parseTags(given: unknown): Readonly<Record<string, string>> | undefined {
  if (given === undefined || given === null) return undefined
  if (!isObject(given)) throw invalidContent("An object is expected. Path 'tags'")
  const tags = Object.entries(given)
  if (tags.length > TAGS_MAX) {
    throw new GatewayError(400, {
      code: 'InvalidTags',
      message: `The number of tags '${tags.length}' exceeds the maximum of '${TAGS_MAX}'.`,
    })
  }
  return Object.fromEntries(
    tags.map(([name, value]) => {
      if (typeof value !== 'string' && value !== null) {
        throw invalidContent(`A string is expected. Path 'tags.${name}'`)
      }
      if (name === '' || name.length > TAG_NAME_LENGTH_MAX) {
        throw new GatewayError(400, {
          code: 'InvalidTagName',
          message: `The tag name must be non-null, non-empty and not longer than '${TAG_NAME_LENGTH_MAX}' characters.`,
        })
      }
      if ((value ?? '').length > TAG_VALUE_LENGTH_MAX) {
        throw new GatewayError(400, {
          code: 'InvalidTagValueLength',
          message: `The tag value of '${name}' is longer than '${TAG_VALUE_LENGTH_MAX}' characters.`,
        })
      }
      return [name, value ?? '']
    }),
  )
}

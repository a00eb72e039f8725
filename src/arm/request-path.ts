import { GatewayError } from './arm-error.ts'

/** The decoded segments of a request's path. @throws ArmError 400 for a broken escape or one that hides a slash. */
export function pathSegments(path: string): readonly string[] {
  return path
    .split('/')
    .filter((segment) => segment !== '')
    .map((segment) => {
      const decoded = decode(segment)
      if (decoded === undefined || decoded.includes('/')) {
        throw new GatewayError(400, {
          code: 'InvalidRequestUri',
          message: `The request uri is invalid at '${segment}'.`,
        })
      }
      return decoded
    })
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

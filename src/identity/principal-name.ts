/** Another principal has this name, in this or another case. */
export class PrincipalExists extends Error {
  override readonly name = 'PrincipalExists'
  constructor(displayName: string) {
    super(`A principal named '${displayName}' already exists.`)
  }
}

export class InvalidPrincipalName extends Error {
  override readonly name = 'InvalidPrincipalName'
  constructor() {
    super(
      'The name of a principal has 1 to 120 characters, none of them a control character, and neither starts nor ends with a blank.',
    )
  }
}

const DISPLAY_NAME = /^(?!\s)[^\p{Cc}]{1,120}(?<!\s)$/u

/** @throws InvalidPrincipalName */
export function checkPrincipalName(displayName: string): void {
  if (!DISPLAY_NAME.test(displayName)) throw new InvalidPrincipalName()
}

/** Names are unique in any case. */
export const nameKey = (displayName: string): string => displayName.toLowerCase()

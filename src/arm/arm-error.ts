export interface ArmErrorBody {
  readonly code: string
  readonly message: string
  readonly target?: string
  readonly details?: readonly ArmErrorBody[]
}

/** The only error the control plane answers with. `message` is public; the internal reason goes into `cause`. */
export class ArmError extends Error {
  override readonly name = 'ArmError'
  readonly status: number
  readonly body: ArmErrorBody

  constructor(status: number, body: ArmErrorBody, options?: ErrorOptions) {
    super(body.message, options)
    this.status = status
    this.body = body
  }

  toJSON(): { error: ArmErrorBody } {
    return { error: this.body }
  }
}

/** 400 for a property whose value breaks a rule that the schema cannot say. `property` is a dotted path. */
export const invalidProperty = (property: string, reason: string): ArmError =>
  new ArmError(400, {
    code: 'InvalidRequestContent',
    message: `The property '${property}' is invalid: ${reason}`,
    target: property,
  })

/**
 * Refused by ARM itself, before the type is asked. Always in the `error` envelope, also where the type's own
 * errors are bare.
 */
export class GatewayError extends ArmError {}

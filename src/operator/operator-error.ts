/** A refusal in words for the person at the terminal; `status` is HTTP's. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'
  readonly status: number
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

/** A command that cannot go on; the message says what to do, and `exitCode` is the process's. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError'
  readonly exitCode: number
  constructor(message: string, exitCode = 1, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}

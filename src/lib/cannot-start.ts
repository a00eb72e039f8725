/** The server cannot start, for a reason that its owner can mend; the message says which, and how. */
export class CannotStart extends Error {
  override readonly name: string = 'CannotStart'
}

/** Why something cannot be restored; nothing was changed. */
export class NotRestorable extends Error {
  override readonly name = 'NotRestorable'
}

/** One committed change of a resource. Revisions grow by one for each change. */
export interface Change {
  readonly revision: number
  /** The resource's id in its canonical case. */
  readonly id: string
  readonly type: string
  readonly kind: 'written' | 'deleted'
}

/** Told of every commit, in order. The writer's answer waits until it settles: what is acknowledged is in effect. */
export type ChangeListener = (changes: readonly Change[]) => Promise<void> | void

export interface ChangeFeed {
  /** Listeners are called in the order in which they subscribed. Returns the way out. */
  subscribe(listener: ChangeListener): () => void
  /** Calls the listeners one after the other; a failing one is reported and does not stop the others. */
  publish(changes: readonly Change[]): Promise<void>
}

export type PublicRecord =
  | { readonly type: 'CNAME'; readonly ttl: number; readonly target: string }
  | { readonly type: 'A'; readonly ttl: number; readonly address: string }

/** The public internet as far as Causeway plays it. In memory. */
export interface PublicNames {
  /** The records at exactly this name (lower case, no trailing dot); [] where the name exists without any; undefined where it does not exist. */
  lookup(name: string): readonly PublicRecord[] | undefined
  readonly version: number
}

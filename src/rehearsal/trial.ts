/** What a client found when it tried to pull from where it stands; the pull client prints it as JSON. */
export interface Trial {
  /** The answer section for the login server's A record, in order. */
  readonly chain: readonly { readonly name: string; readonly type: string; readonly data: string }[]
  readonly address?: string
  readonly pull:
    | {
        readonly allowed: true
        readonly digest: string
        readonly bytes: number
        readonly from: string
      }
    /** The registry's own words, or how the connection failed. */
    | { readonly allowed: false; readonly words: string }
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'

/** One request on its way to one origin. */
export interface Hop {
  readonly url: string
  readonly method: Method
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

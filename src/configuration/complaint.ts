/** Where something stands in a configuration file: keys and indices from its top. */
export type KeyPath = readonly (string | number)[]

/** What is wrong at one place of a configuration file, and what would do. */
export interface Complaint {
  readonly at: KeyPath
  readonly message: string
}

/** `names.listeners[0].port`. */
export const formatPath = (path: KeyPath): string =>
  path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '')

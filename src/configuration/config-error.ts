/** A flag, a variable or a file that cannot be used; the message says which and what would do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

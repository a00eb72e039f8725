/** What most of the namespace's resources and their parts may be called: 80 characters, word characters at the ends. */
export const NAME_PATTERN = '^[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?$'

export const RESOURCE_NAME = new RegExp(NAME_PATTERN)

/** An image in a registry, by tag or by digest. */
export interface ImageReference {
  readonly repository: string
  /** `:tag` or `@sha256:…`. */
  readonly suffix: `:${string}` | `@${string}`
}

// The grammars of the OCI distribution specification.
const REPOSITORY =
  '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*'
const TAG = '[A-Za-z0-9_][A-Za-z0-9._-]{0,127}'
const DIGEST = 'sha256:[a-f0-9]{64}'

const IMAGE = new RegExp(`^(${REPOSITORY})(?::(${TAG})|@(${DIGEST}))?$`)
const REPOSITORY_MAX = 255

/** Reads `repo`, `repo:tag` or `repo@sha256:…`; without tag and digest it is the tag `latest`. Undefined for anything else. */
export function parseImage(text: string, defaultTag = 'latest'): ImageReference | undefined {
  const [, repository, tag, digest] = IMAGE.exec(text) ?? []
  if (!repository || repository.length > REPOSITORY_MAX) return undefined
  return { repository, suffix: digest ? `@${digest}` : `:${tag ?? defaultTag}` }
}

export const isRepository = (text: string): boolean =>
  text.length <= REPOSITORY_MAX && new RegExp(`^${REPOSITORY}$`).test(text)

export const formatImage = ({ repository, suffix }: ImageReference): string =>
  `${repository}${suffix}`

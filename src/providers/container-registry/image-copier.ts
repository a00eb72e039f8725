/** Where an image comes from: one of our own registries, or a host of the public internet. */
export type ImageSource = { readonly registryUid: string } | { readonly host: string }

export interface ImageCopyRequest {
  readonly from: ImageSource
  /** `repo:tag` or `repo@sha256:…`. */
  readonly sourceImage: string
  readonly to: { readonly registryUid: string }
  /** `repo:tag` each. */
  readonly targetTags: readonly string[]
  /** Repositories that get the manifest without a tag. */
  readonly untaggedTargetRepositories: readonly string[]
  /** Moves tags that exist already; without it they make the copy fail before it begins. */
  readonly force: boolean
}

/** What the control plane needs of the registry plane to import images. A copy done twice leaves the same content. */
export interface ImageCopier {
  /** @throws ImageCopyError for what the client has to know. */
  copy(request: ImageCopyRequest): Promise<void>
}

const CODES = ['source-unknown', 'target-exists', 'source-not-allowed'] as const

/**
 * Why an image was not copied. The message is public; of a tag that exists it is, in the service's words,
 * `Tag hello-world:latest already exists in target registry.`
 */
export interface ImageCopyError extends Error {
  readonly name: 'ImageCopyError'
  readonly code: (typeof CODES)[number]
}

/** Tells it by its name: the class belongs to whoever copies. */
export const isImageCopyError = (error: unknown): error is ImageCopyError =>
  error instanceof Error &&
  error.name === 'ImageCopyError' &&
  'code' in error &&
  CODES.some((code) => code === error.code)

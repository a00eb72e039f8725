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
  /** @throws ImageCopyError */
  copy(request: ImageCopyRequest): Promise<void>
}

/** Why an image was not copied. The message is public. */
export class ImageCopyError extends Error {
  override readonly name = 'ImageCopyError'
  readonly code: 'source-unknown' | 'target-exists' | 'source-not-allowed'

  constructor(code: ImageCopyError['code'], message: string) {
    super(message)
    this.code = code
  }
}

import { type Digest, isDigest } from '../../lib/digest.ts'
import type { Caller } from '../events/occasion.ts'
import { isRepositoryName, isTag } from '../http/oci-path.ts'

/** A registry that is not Causeway's. */
export interface RemoteSource {
  /** A host name in lower case, with its port where that is not 443. */
  readonly host: string
  readonly credentials?: {
    /** Without it the password is a token. */
    readonly username?: string
    readonly password: string
  }
}

export interface ImageCopy {
  /** A registry's uid, or a host of the public internet. */
  readonly from: { readonly registryUid: string } | RemoteSource
  /** `repository:tag` or `repository@sha256:…`; without either, the tag is `latest`. */
  readonly sourceImage: string
  readonly to: {
    readonly registryUid: string
    /** As in the directory's facts of the registry: there even `force` moves no tag. */
    readonly immutableTagsIn: readonly string[]
  }
  /** `repository:tag` each. */
  readonly targetTags: readonly string[]
  /** Repositories that get the manifest without a tag. */
  readonly untaggedTargetRepositories: readonly string[]
  /** Moves tags that exist already; without it they make the copy fail before it begins. */
  readonly force: boolean
}

/** On whose behalf an image is copied, and until when. */
export interface CopyErrand {
  /** For the log. */
  readonly who: string
  /** Ends the copy; what it has got so far is not fetched again by the next. */
  readonly signal?: AbortSignal
  /** For the audit trail and the webhooks. */
  readonly caller?: Caller
}

/**
 * Whether a source may answer better a moment later: it is busy or broke off (`yes`), or it was not reached. The latter
 * is worth a try only where it was reached before: how long a refusal takes must not tell what is on the inside.
 */
export type Hope = 'no' | 'yes' | 'where it was reached'

interface ImageCopyErrorOptions extends ErrorOptions {
  /** `no` by default. */
  readonly hope?: Hope
  /** How long the source wants to be left alone. */
  readonly retryAfterSeconds?: number | undefined
}

/**
 * Why an image was not copied. The message is public; of a tag that exists it is, in the service's words,
 * `Tag hello-world:latest already exists in target registry.`
 */
export class ImageCopyError extends Error {
  override readonly name = 'ImageCopyError'
  readonly code:
    | 'source-unknown'
    | 'target-exists'
    | 'target-locked'
    | 'source-not-allowed'
    | 'source-denied'
    | 'source-throttled'
    | 'source-unreachable'
    | 'source-invalid'
  readonly hope: Hope
  readonly retryAfterSeconds: number | undefined

  constructor(code: ImageCopyError['code'], message: string, options: ImageCopyErrorOptions = {}) {
    super(message, options)
    this.code = code
    this.hope = options.hope ?? 'no'
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** One repository that gets the image, and under which names. */
export interface CopyTarget {
  readonly repository: string
  readonly tags: readonly string[]
}

export interface SourceImage {
  readonly repository: string
  readonly reference: { readonly tag: string } | { readonly digest: Digest }
}

/** @throws ImageCopyError for a name that is none */
export function sourceImageOf({ sourceImage }: ImageCopy): SourceImage {
  const image = parseImage(sourceImage)
  if (image) return image
  throw new ImageCopyError('source-unknown', `Image '${sourceImage}' was not found.`)
}

/** @throws ImageCopyError for a name that is none */
export function targetsOf({
  targetTags,
  untaggedTargetRepositories,
}: ImageCopy): readonly CopyTarget[] {
  const tagged = targetTags.map((text) => {
    const image = parseImage(text)
    if (!image || !('tag' in image.reference)) {
      throw new ImageCopyError('source-not-allowed', `'${text}' is not the name of an image.`)
    }
    return { repository: image.repository, tags: [image.reference.tag] }
  })
  const untagged = untaggedTargetRepositories.map((repository) => {
    if (!isRepositoryName(repository)) {
      throw new ImageCopyError('source-not-allowed', `'${repository}' is not a repository name.`)
    }
    return { repository, tags: [] }
  })
  return [...tagged, ...untagged]
}

function parseImage(text: string): SourceImage | undefined {
  const [name = '', digest] = text.split('@')
  const colon = name.lastIndexOf(':')
  const repository = colon < 0 ? name : name.slice(0, colon)
  const tag = colon < 0 ? 'latest' : name.slice(colon + 1)
  if (!isRepositoryName(repository) || !isTag(tag)) return undefined
  if (digest === undefined) return { repository, reference: { tag } }
  return isDigest(digest) ? { repository, reference: { digest } } : undefined
}

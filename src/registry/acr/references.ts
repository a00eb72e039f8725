import { isDigest } from '../../lib/digest.ts'
import type { PresentedReference } from './present.ts'

/** What an index says of the manifests that it names, in its order; undefined for what is no index. */
export function referencesOf(content: Uint8Array): readonly PresentedReference[] | undefined {
  // It was parsed when it was pushed, but for the platforms, which are what somebody has written.
  const { manifests } = JSON.parse(new TextDecoder().decode(content)) as { manifests?: unknown }
  if (!Array.isArray(manifests)) return undefined
  return manifests.flatMap((each: { digest?: unknown; platform?: unknown }) => {
    if (typeof each.digest !== 'string' || !isDigest(each.digest)) return []
    const { architecture, os } = (each.platform ?? {}) as Record<string, unknown>
    return [
      {
        digest: each.digest,
        ...(typeof architecture === 'string' && { architecture }),
        ...(typeof os === 'string' && { os }),
      },
    ]
  })
}

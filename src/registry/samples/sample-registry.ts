import type { RegistryFacts } from '../registry-directory.ts'

/**
 * The public registry of the article's first steps, as far as Causeway plays it: everybody may read it from every
 * place, nobody may write to it, and what is in it comes with the product.
 */
export const SAMPLE_REGISTRY: RegistryFacts = {
  id: '/builtin/registries/mcr',
  uid: 'mcr',
  name: 'mcr',
  loginServer: 'mcr.microsoft.com',
  homeRegion: 'global',
  dataEndpoints: [],
  redirectsBlobs: false,
  publicAccess: { kind: 'all' },
  isPrivateLinked: false,
  anonymousPull: true,
  immutableTagsIn: [],
  tokens: new Map(),
}

export const SAMPLE_REPOSITORIES: readonly string[] = ['hello-world', 'mcr/hello-world']
export const SAMPLE_TAGS: readonly string[] = ['latest', 'v1']

export const isSampleRegistry = ({ uid }: RegistryFacts): boolean => uid === SAMPLE_REGISTRY.uid

import { createOnly, readOnly } from '../../arm/marks.ts'
import { defineResourceType, type Resource } from '../../arm/resource-type.ts'
import { type Static, Type } from '../../lib/schema.ts'
import { API_VERSIONS } from './api-versions.ts'
import { type CachedContent, validateCacheRule } from './cache-rule-rules.ts'
import { childNotFound } from './registry-errors.ts'
import { CACHE_RULE } from './registry-properties.ts'

const cacheRuleProperties = Type.Object({
  credentialSetResourceId: Type.Optional(Type.String()),
  sourceRepository: createOnly(Type.String()),
  targetRepository: createOnly(Type.String()),
  creationDate: Type.Optional(readOnly(Type.String())),
  provisioningState: Type.Optional(readOnly(Type.String())),
})

export type CacheRuleProperties = Static<typeof cacheRuleProperties>
export type CacheRuleResource = Resource<CacheRuleProperties>

/** From where a registry gets what it lacks: https://learn.microsoft.com/azure/container-registry/artifact-cache-overview */
export const createCacheRuleType = (content: CachedContent) =>
  defineResourceType({
    type: CACHE_RULE,
    apiVersions: API_VERSIONS,
    location: 'none',
    etag: 'none',
    showsSystemData: true,
    properties: cacheRuleProperties,
    // `CacheRuleNameParameter` of the API document.
    name: /^[a-zA-Z0-9-]{5,50}$/,
    notFound: childNotFound,

    references: ({ properties: { credentialSetResourceId } }) =>
      credentialSetResourceId ? [credentialSetResourceId] : [],

    validate: (next, previous, context) => validateCacheRule(next, previous, content, context),

    provision: ({ properties }, context) => ({
      creationDate: properties.creationDate ?? context.now.toISOString(),
      provisioningState: 'Succeeded',
    }),
  })

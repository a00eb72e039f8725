import { ArmError, invalidProperty } from '../../arm/arm-error.ts'
import { isSameId, parseResourceId } from '../../arm/resource-id.ts'
import type { Context } from '../../arm/resource-type.ts'
import { isWildcard, isWithin } from '../../registry/cache/cache-rule.ts'
import type { CacheRuleResource } from './cache-rule.ts'
import { isPattern, parseSource, type SourceRepository } from './cached-repository.ts'
import type { CredentialSet } from './credential-set.ts'
import { quotaExceeded } from './registry-errors.ts'
import { isOwnHost } from './registry-hosts.ts'
import { CACHE_RULE, CREDENTIAL_SET, type Registry, uidOf } from './registry-properties.ts'
import { CACHE_RULES_MAX, skuOf } from './sku.ts'

/** What the control plane asks of a registry's content; implemented by the registry plane. */
export interface CachedContent {
  /** Whether a registry (its uid) has a repository of this name, or one within `prefix/*` or `*`. */
  hasRepository(registryUid: string, pattern: string): boolean
}

/** Every rule of a cache rule that the schema cannot say. @throws ArmError */
export async function validateCacheRule(
  next: CacheRuleResource,
  previous: CacheRuleResource | undefined,
  content: CachedContent,
  context: Context,
): Promise<void> {
  const { sourceRepository, targetRepository, credentialSetResourceId } = next.properties
  const source = parseSource(sourceRepository)
  if (!source) throw badName('sourceRepository', sourceRepository)
  if (!isPattern(targetRepository)) throw badName('targetRepository', targetRepository)
  if (isWildcard(source.pattern) !== isWildcard(targetRepository)) {
    throw invalidProperty(
      'properties.targetRepository',
      `'${targetRepository}' must end in '/*' where '${sourceRepository}' does, and only there.`,
    )
  }
  if (isOwnHost(source.host, context.settings.registryDomain)) {
    throw invalidProperty(
      'properties.sourceRepository',
      `'${source.host}' is a registry of this service, which is not cached here: import what you need of it.`,
    )
  }
  const registry = await registryOf(next, context)
  if (credentialSetResourceId !== undefined) {
    await requireCredentials(credentialSetResourceId, source, registry, context)
  }
  if (previous) return
  await requireRoom(next, registry, context)
  if (content.hasRepository(uidOf(registry), targetRepository))
    throw repositoryExists(targetRepository)
}

async function registryOf({ id }: CacheRuleResource, context: Context): Promise<Registry> {
  const registryId = parseResourceId(id)?.parent
  const registry = registryId && (await context.get<Registry['properties']>(registryId))
  if (!registry) throw new Error(`${id} lies in no registry`)
  return registry
}

async function requireCredentials(
  id: string,
  { host }: SourceRepository,
  registry: Registry,
  context: Context,
): Promise<void> {
  const property = 'properties.credentialSetResourceId'
  const parsed = parseResourceId(id)
  const isSet = parsed?.type.toLowerCase() === CREDENTIAL_SET.toLowerCase()
  if (!parsed || !isSet || !isSameId(parsed.parent ?? '', registry.id)) {
    throw invalidProperty(
      property,
      `'${id}' is no credential set of the registry '${registry.name}'.`,
    )
  }
  const set = await context.get<CredentialSet['properties']>(id)
  if (!set) throw invalidProperty(property, `the credential set '${parsed.name}' does not exist.`)
  // Credentials are shown to nobody but those whom they are for.
  if (set.properties.loginServer !== host) {
    throw invalidProperty(
      property,
      `the credential set '${set.name}' is for '${set.properties.loginServer}', not for '${host}'.`,
    )
  }
}

async function requireRoom(next: CacheRuleResource, registry: Registry, context: Context) {
  const rules = await context.children<CacheRuleResource['properties']>(registry.id, CACHE_RULE)
  if (rules.length >= CACHE_RULES_MAX) throw quotaExceeded('cacheRules', skuOf(registry))
  const target = next.properties.targetRepository
  const rival = rules.find(({ properties }) => isRival(properties.targetRepository, target))
  if (!rival) return
  // The words are not verified; that such rules are refused is documented.
  throw new ArmError(409, {
    code: 'CacheRuleTargetRepositoryConflict',
    message: `The target repository '${target}' overlaps with '${rival.properties.targetRepository}' of the cache rule '${rival.name}'.`,
  })
}

/** A fixed rule within a wildcard is none: it goes first. */
const isRival = (one: string, other: string): boolean =>
  one === other ||
  (isWildcard(one) && isWildcard(other) && (isWithin(one, other) || isWithin(other, one)))

/** The sentence is the service's (Azure/acr#766), the code is not verified. */
const badName = (property: string, value: string): ArmError =>
  new ArmError(400, {
    code: 'InvalidRepositoryName',
    message: `Repository names should follow the standardized docker repository naming conventions. All characters should be lowercase. For more information, please visit https://aka.ms/acr/cache. '${value}' does not.`,
    target: `properties.${property}`,
  })

/** For a pattern these are the service's words (Azure/ARO-HCP#5176); for one repository they are not verified. */
const repositoryExists = (target: string): ArmError =>
  isWildcard(target)
    ? new ArmError(400, {
        code: 'TargetRepositoryPrefixMatchesExistingRegistries',
        message: `There are one or more target repositories in the registry which match the target repository prefix '${target}'.`,
      })
    : new ArmError(400, {
        code: 'TargetRepositoryAlreadyExists',
        message: `The target repository '${target}' exists in the registry already. Choose another, or delete it first.`,
      })

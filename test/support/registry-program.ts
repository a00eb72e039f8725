import { argv, env } from 'node:process'
import { ContainerRegistryClient, ContainerRegistryContentClient } from '@azure/container-registry'
import { DefaultAzureCredential } from '@azure/identity'

/**
 * A program as a user writes it: pushes to the repository in its argument, describes, locks, unlocks and deletes what is
 * there. Prints what it saw on the way, by the name of each step.
 */
const [, , name = ''] = argv
const address = `https://${env.REGISTRY}.azurecr.io`
const credential = new DefaultAzureCredential()
const options = { audience: 'https://containerregistry.azure.net' as const }
const registry = new ContainerRegistryClient(address, credential, options)
const content = new ContainerRegistryContentClient(address, name, credential, options)
const repository = registry.getRepository(name)
const seen: Record<string, unknown> = {}

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

async function push(tag: string) {
  const blob = Buffer.from(JSON.stringify({ architecture: 'arm64', os: 'linux', tag }))
  const { digest } = await content.uploadBlob(blob)
  const mediaType = 'application/vnd.oci.image.config.v1+json'
  const config = { mediaType, digest, size: blob.length }
  return content.setManifest({ schemaVersion: 2, config, layers: [] }, { tag })
}

/** The status and code of what was refused. */
async function refusalOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
    return 'not refused'
  } catch (error) {
    const { statusCode, message } = error as { statusCode?: number; message: string }
    return [statusCode, /"code":"(\w+)"/.exec(message)?.[1] ?? message]
  }
}

const tags = ['one', 'two', 'three']
for (const tag of tags) seen[`digest of ${tag}`] = (await push(tag)).digest
const first = registry.getArtifact(name, 'one')

// More than one page of each list, so that links are followed.
const pages = (await all(registry.listRepositoryNames().byPage({ maxPageSize: 1 }))).length
seen['catalog by pages'] = pages > 0 && (await all(registry.listRepositoryNames())).includes(name)
const byTime = first.listTagProperties({ order: 'LastUpdatedOnDescending' })
seen['tags by time'] = (await all(byTime)).map((tag) => tag.name)
const manifests = repository.listManifestProperties({ order: 'LastUpdatedOnDescending' })
const paged = await all(manifests.byPage({ maxPageSize: 2 }))
seen['manifests by time and pages'] = paged.map((page) => page.map(({ tags: names }) => names))

const { name: itself, tagCount, manifestCount, canDelete } = await repository.getProperties()
seen.repository = { name: itself, tagCount, manifestCount, canDelete }
const { architecture, operatingSystem, sizeInBytes } = await first.getManifestProperties()
seen.manifest = { architecture, operatingSystem, hasSize: (sizeInBytes ?? 0) > 0 }

const locked = await first.updateTagProperties('one', { canWrite: false })
seen['locked tag'] = [locked.canWrite, locked.canDelete, locked.canRead, locked.canList]
seen['push to a locked tag'] = await refusalOf(content.setManifest(await changed(), { tag: 'one' }))
seen['delete of a locked tag'] = await refusalOf(first.deleteTag('one'))
const held = await first.updateManifestProperties({ canRead: false, canList: false })
seen['hidden manifest'] = [held.canRead, held.canList, held.canWrite]
seen['pull of what may not be read'] = await refusalOf(content.getManifest('one'))
seen['delete of the repository'] = await refusalOf(repository.delete())
seen['manifests in the list'] = (await all(repository.listManifestProperties())).length

await first.updateManifestProperties({ canRead: true, canList: true })
await first.updateTagProperties('one', { canWrite: true })
await repository.updateProperties({ canWrite: false })
seen['push to a locked repository'] = await refusalOf(push('four'))
await repository.updateProperties({ canWrite: true })
await first.deleteTag('one')
await registry.getArtifact(name, 'two').delete()
seen['tags left'] = (await all(registry.getArtifact(name, 'three').listTagProperties())).map(
  (tag) => tag.name,
)
await registry.deleteRepository(name)
seen['repository at the end'] = await refusalOf(repository.getProperties())

/** The first image, of another digest. */
async function changed() {
  const { manifest } = await content.getManifest('one')
  return { ...manifest, annotations: { changed: 'yes' } }
}

process.stdout.write(JSON.stringify(seen))

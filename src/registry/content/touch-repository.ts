import type { Clock } from '../../lib/clock.ts'
import type { RegistryTransaction, RepositoryKey } from './repository-key.ts'

/** Notes that something in a repository has changed; makes the repository where there is none. */
export async function touchRepository(
  transaction: RegistryTransaction,
  clock: Clock,
  { registry, repository }: RepositoryKey,
): Promise<void> {
  const now = clock.now().toISOString()
  await transaction
    .insertInto('registry_repositories')
    .values({ registry, name: repository, created_at: now, updated_at: now })
    .onConflict((conflict) =>
      conflict.columns(['registry', 'name']).doUpdateSet({ updated_at: now }),
    )
    .execute()
}

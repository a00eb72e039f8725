import { type Flags, readConfig } from '../config.ts'
import { hasRootsRights } from '../places/rights.ts'
import { serveAsOwner } from './serve-as-owner.ts'

/** Serves, under root as the owner of the data folder; see `serve`. */
export async function up(flags: Flags & { readonly empty?: boolean }): Promise<number> {
  const config = await readConfig(flags)
  if (hasRootsRights()) return serveAsOwner(config)
  const { serve } = await import('./serve.ts')
  return serve(config, { empty: flags.empty === true })
}

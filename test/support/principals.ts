import type { CreatedPrincipal } from '../../src/operator/contract.ts'
import type { Causeway } from './causeway.ts'
import { succeeded } from './run.ts'

/** Makes a principal by the command line, with its flags. */
export const createPrincipal = async (
  causeway: Causeway,
  name: string,
  ...flags: readonly string[]
): Promise<CreatedPrincipal> =>
  JSON.parse(succeeded(await causeway.command(['principal', 'create', name, ...flags, '--json'])))

import { join } from 'node:path'
import { type Causeway, internet, type PlaceOptions, type Where } from './causeway.ts'
import { type Finished, run, succeeded } from './run.ts'

/** What `az` needs besides what a place gives: Debian's package is broken, see az-repair/sitecustomize.py. */
export const azVariables: Readonly<Record<string, string>> = {
  PYTHONPATH: join(import.meta.dirname, 'az-repair'),
  // The repair must not leave compiled files in the checkout.
  PYTHONDONTWRITEBYTECODE: '1',
  AZURE_CORE_COLLECT_TELEMETRY: 'no',
  AZURE_CORE_NO_COLOR: 'yes',
}

/** The commands that sign `az` in as the principal of the place, in the words of a user. */
export const AZ_LOGIN =
  'az login --service-principal --username "$AZURE_CLIENT_ID" --password "$AZURE_CLIENT_SECRET" --tenant "$AZURE_TENANT_ID" --output none'

/** Runs `az ARGS…` in a place, outside every network by default. The place must be signed in: see `signIn`. */
export const az = (
  causeway: Causeway,
  args: readonly string[],
  { where = internet, ...options }: PlaceOptions & { readonly where?: Where } = {},
): Promise<Finished> =>
  causeway.inPlace(where, ['az', ...args], {
    ...options,
    variables: { ...azVariables, ...options.variables },
  })

/** Signs `az` in from a place; its configuration folder keeps the sign-in from one run to the next. */
export async function signIn(causeway: Causeway, where: Where = internet): Promise<void> {
  succeeded(await bash(causeway, where, AZ_LOGIN))
}

/** Runs a script in a place by `bash`, which stops at the first command that fails. */
export const bash = (
  causeway: Causeway,
  where: Where,
  script: string,
  options: PlaceOptions = {},
): Promise<Finished> =>
  causeway.inPlace(where, ['bash', '-euo', 'pipefail', '-c', script], {
    ...options,
    variables: { ...azVariables, ...options.variables },
  })

/** Runs such a script on the host, where `az` knows no cloud but the server's own URL, which it trusts. */
export async function bashOnHost(
  causeway: Causeway,
  script: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const { urls, authorities } = await causeway.status()
  return run('bash', ['-euo', 'pipefail', '-c', script], {
    environment: {
      ...process.env,
      ...azVariables,
      REQUESTS_CA_BUNDLE: authorities.host,
      // What az reads the metadata with knows only this one.
      SSL_CERT_FILE: authorities.host,
      ARM_CLOUD_METADATA_URL: urls.metadata,
      ...variables,
    },
  })
}

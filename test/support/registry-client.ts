import type { Causeway, Where } from './causeway.ts'
import { type Finished, succeeded } from './run.ts'

const MANIFEST_TYPES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

export interface RegistryAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/**
 * One HTTPS request by curl from a place; it trusts what the place trusts and follows nothing.
 *
 * @throws where there is no answer at all.
 */
export async function curl(
  causeway: Causeway,
  where: Where,
  args: readonly string[],
): Promise<RegistryAnswer> {
  return parseAnswer(succeeded(await curlRaw(causeway, where, args)))
}

/** The same for those who want curl's own exit code: 6 unresolved, 7 refused, 28 too late. */
export const curlRaw = (
  causeway: Causeway,
  where: Where,
  args: readonly string[],
): Promise<Finished> =>
  causeway.inPlace(where, ['curl', '-sS', '--http1.1', '--max-time', '20', '-i', ...args])

/** An access token of ACR for the principal of the place. `scope` as in a challenge. */
export async function accessToken(
  causeway: Causeway,
  where: Where,
  loginServer: string,
  scope: string,
): Promise<string> {
  // The client's own three steps: sign in, exchange, narrow down. The variables are the place's.
  const script = `
    aad=$(curl -sSf "https://login.microsoftonline.com/$AZURE_TENANT_ID/oauth2/v2.0/token" \\
      -d grant_type=client_credentials --data-urlencode "client_id=$AZURE_CLIENT_ID" \\
      --data-urlencode "client_secret=$AZURE_CLIENT_SECRET" \\
      --data-urlencode scope=https://containerregistry.azure.net/.default |
      sed -E 's/.*"access_token":"([^"]*)".*/\\1/')
    refresh=$(curl -sSf "https://$1/oauth2/exchange" -d grant_type=access_token -d "service=$1" \\
      -d "tenant=$AZURE_TENANT_ID" --data-urlencode "access_token=$aad" |
      sed -E 's/.*"refresh_token":"([^"]*)".*/\\1/')
    curl -sSf "https://$1/oauth2/token" -d grant_type=refresh_token -d "service=$1" \\
      --data-urlencode "scope=$2" --data-urlencode "refresh_token=$refresh" |
      sed -E 's/.*"access_token":"([^"]*)".*/\\1/'`
  const finished = await causeway.inPlace(where, [
    ...['bash', '-euo', 'pipefail', '-c', script, 'token'],
    ...[loginServer, scope],
  ])
  return succeeded(finished).trim()
}

export const bearer = (token: string): readonly string[] => ['-H', `Authorization: Bearer ${token}`]

/** The digest of the first layer of an image, found by following its index and manifest. */
export async function firstLayer(
  causeway: Causeway,
  where: Where,
  image: { readonly loginServer: string; readonly repository: string; readonly tag: string },
  token: string,
): Promise<string> {
  const base = `https://${image.loginServer}/v2/${image.repository}/manifests`
  const get = async (reference: string) => {
    const answer = await curl(causeway, where, [
      ...bearer(token),
      ...['-H', `Accept: ${MANIFEST_TYPES}`, `${base}/${reference}`],
    ])
    return JSON.parse(answer.text) as {
      manifests?: { digest: string }[]
      layers?: { digest: string }[]
    }
  }
  const top = await get(image.tag)
  const manifest = top.manifests?.[0] ? await get(top.manifests[0].digest) : top
  return manifest.layers?.[0]?.digest ?? ''
}

function parseAnswer(output: string): RegistryAnswer {
  // An interim `100 Continue` may stand before the answer proper.
  const start = [...output.matchAll(/^HTTP\/1\.1 (\d{3})/gm)]
    .filter(([, status]) => Number(status) >= 200)
    .at(0)?.index
  const [head = '', ...rest] = output.slice(start ?? 0).split('\r\n\r\n')
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: Object.fromEntries(headers),
    text: rest.join('\r\n\r\n'),
  }
}

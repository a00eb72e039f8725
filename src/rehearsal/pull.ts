import { createHash } from 'node:crypto'

/** Who pulls; a service principal of the place's tenant. */
export interface Credentials {
  readonly tenantId: string
  readonly clientId: string
  readonly clientSecret: string
}

/** The registry, or the way to it, said no. The message is what a person should read. */
export class PullRefused extends Error {
  override readonly name = 'PullRefused'
}

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly platform?: { readonly architecture: string; readonly os: string }
}

const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

/**
 * Pulls an image as Docker does: challenge, tokens, index, manifest, every blob, each checked against its digest.
 * Returns the index's digest, the bytes of all that was read, and the hosts that the blobs came from.
 *
 * @throws PullRefused
 */
export async function pullImage(
  loginServer: string,
  repository: string,
  tag: string,
  credentials: Credentials,
): Promise<{ digest: string; bytes: number; from: string }> {
  const base = `https://${loginServer}`
  const challenge = await ask(`${base}/v2/`, {}, [200, 401])
  const headers =
    challenge.status === 401
      ? { authorization: `Bearer ${await signIn(base, loginServer, repository, credentials)}` }
      : {}

  const index = await readManifest(`${base}/v2/${repository}/manifests/${tag}`, headers)
  const image = pickPlatform(index.content)
  const manifest = image
    ? await readManifest(`${base}/v2/${repository}/manifests/${image.digest}`, headers)
    : index
  if (image) check(manifest.bytes, image.digest)

  const { config, layers } = manifest.content as { config: Descriptor; layers: Descriptor[] }
  const hosts = new Set<string>()
  let bytes = index.bytes.length + (image ? manifest.bytes.length : 0)
  for (const blob of [config, ...layers]) {
    const read = await readBlob(`${base}/v2/${repository}/blobs/${blob.digest}`, headers)
    check(read.bytes, blob.digest)
    hosts.add(read.host)
    bytes += read.bytes.length
  }
  return { digest: index.digest, bytes, from: [...hosts].join(', ') }
}

async function signIn(
  base: string,
  service: string,
  repository: string,
  { tenantId, clientId, clientSecret }: Credentials,
): Promise<string> {
  const authority = `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`
  const directory = await post(authority, {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
    scope: 'https://containerregistry.azure.net/.default',
  })
  const refresh = await post(`${base}/oauth2/exchange`, {
    grant_type: 'access_token',
    service,
    tenant: tenantId,
    access_token: directory.access_token ?? '',
  })
  const access = await post(`${base}/oauth2/token`, {
    grant_type: 'refresh_token',
    service,
    scope: `repository:${repository}:pull`,
    refresh_token: refresh.refresh_token ?? '',
  })
  return access.access_token ?? ''
}

async function readManifest(url: string, headers: Record<string, string>) {
  const response = await ask(url, { headers: { ...headers, accept: MANIFESTS } })
  const bytes = Buffer.from(await response.arrayBuffer())
  const digest = response.headers.get('docker-content-digest') ?? ''
  check(bytes, digest)
  return { bytes, digest, content: JSON.parse(bytes.toString()) as Record<string, unknown> }
}

async function readBlob(url: string, headers: Record<string, string>) {
  const first = await ask(url, { headers, redirect: 'manual' }, [200, 307])
  const location = first.headers.get('location')
  // The signed address needs no token, and must not be given one: it is another host.
  const response = first.status === 307 && location ? await ask(location, {}) : first
  return { bytes: Buffer.from(await response.arrayBuffer()), host: new URL(location ?? url).host }
}

function pickPlatform(content: Record<string, unknown>): Descriptor | undefined {
  const { manifests } = content as { manifests?: readonly Descriptor[] }
  if (!manifests) return undefined
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const fitting = manifests.find((entry) => entry.platform?.architecture === architecture)
  if (!fitting) throw new PullRefused(`no image for ${architecture}`)
  return fitting
}

function check(bytes: Buffer, digest: string): void {
  const computed = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  if (computed !== digest) throw new PullRefused(`expected ${digest}, received ${computed}`)
}

async function post(url: string, form: Record<string, string>): Promise<Record<string, string>> {
  const response = await ask(url, { method: 'POST', body: new URLSearchParams(form) })
  return (await response.json()) as Record<string, string>
}

async function ask(url: string, init: RequestInit, accepted = [200]): Promise<Response> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(20_000) }).catch(
    (error: Error) => {
      const cause = error.cause instanceof Error ? error.cause.message : error.message
      throw new PullRefused(`${new URL(url).host}: ${cause}`, { cause: error })
    },
  )
  if (accepted.includes(response.status)) return response
  throw new PullRefused(wordsOf(response.status, await response.text()))
}

function wordsOf(status: number, body: string): string {
  try {
    const parsed = JSON.parse(body) as {
      errors?: { message: string }[]
      error_description?: string
    }
    return parsed.errors?.[0]?.message ?? parsed.error_description ?? `HTTP ${status}`
  } catch {
    return `HTTP ${status}`
  }
}

import { digestOf } from '../../lib/digest.ts'
import { OCI_MANIFEST } from '../manifests/manifest.ts'
import { artifact, beginUpload, pushArtifact } from './oci-content.ts'
import type { RawRequest } from './raw-http.ts'
import {
  ADMIN,
  basic,
  DATA_HOST,
  type Fixture,
  pushImage,
  startRegistry,
} from './registry-fixture.ts'

/** What is in a repository that requests are made of. */
export interface Target {
  readonly repository: string
  readonly digest: string
  readonly layer: string
  readonly upload: string
}

export interface World {
  readonly registry: Fixture
  readonly admin: string
  /** The admin's, to do everything with: several, since some of it is deleting them. */
  readonly own: readonly Target[]
  /** `Authorization` of those who may pull and push what is shared, or not even that; an empty text is nobody. */
  readonly strangers: readonly string[]
  readonly shared: Target
  /** Nothing that a stranger may know of. */
  readonly secret: Target
  /** Nothing at all, with a name and digests like those of the secret. */
  readonly absent: Target
  /** Path and query of a URL that the registry signed. */
  readonly signed: string
}

async function fill(registry: Fixture, repository: string): Promise<Target> {
  const { digest, layer } = await pushImage(registry, repository, 'v1', repository)
  const subject = { mediaType: OCI_MANIFEST, digest, size: 1 }
  await pushArtifact(registry, repository, { subject, annotations: { repository } })
  return { repository, digest, layer, upload: await beginUpload(registry, repository) }
}

const OWN = 20

/** A registry with repositories for the admin alone, for strangers too, and of which no stranger may know. */
export async function startWorld(t: Parameters<typeof startRegistry>[0]): Promise<World> {
  const registry = await startRegistry(t)
  const own = []
  for (let count = 0; count < OWN; count += 1) own.push(await fill(registry, `own/app-${count}`))
  const shared = await fill(registry, 'shared/app')
  const secret = await fill(registry, 'secret/app')
  const scope = encodeURIComponent('repository:shared/app:pull,push,metadata_read')
  const token = (await registry.send('GET', `/oauth2/token?scope=${scope}`)).json().access_token
  registry.facts = { ...registry.facts, redirectsBlobs: true }
  const redirect = await registry.send('GET', `/v2/shared/app/blobs/${shared.layer}`)
  const { pathname, search } = new URL(String(redirect.headers.location))
  registry.facts = { ...registry.facts, redirectsBlobs: false }
  return {
    registry,
    admin: basic(ADMIN.user, ADMIN.password),
    own,
    strangers: [`Bearer ${token}`, basic('app-nobody', 'secret'), ''],
    shared,
    secret,
    absent: {
      repository: 'absent/app',
      digest: nearly(secret.digest),
      layer: nearly(secret.layer),
      upload: secret.upload
        .replace('/secret/', '/absent/')
        .replace(/[0-9a-f]{12}\b/, '0'.repeat(12)),
    },
    signed: pathname + search,
  }
}

/** Another digest, so alike that whatever is changed about one is the same about the other. */
const nearly = (digest: string): string =>
  digest.replace(
    /.$/,
    (last) => ({ 9: '8', f: 'e' })[last] ?? String.fromCharCode(last.charCodeAt(0) + 1),
  )

const FORM = 'application/x-www-form-urlencoded'

/** One request of each kind about a repository, the `target`, that may also name another, the `source`. */
export function requestsOf(
  { registry, signed }: World,
  target: Target,
  source: Target,
  authorization: string,
): readonly RawRequest[] {
  const { repository: name, digest, layer, upload } = target
  const bytes = 'some bytes'
  const manifest = JSON.stringify(
    artifact({
      config: { mediaType: 'a/b', digest: source.layer, size: 10 },
      layers: [{ mediaType: 'a/b', digest: layer, size: 10, urls: [] }],
      subject: { mediaType: OCI_MANIFEST, digest: source.digest, size: 10 },
      annotations: { a: 'b' },
    }),
  )
  const make = (method: string, path: string, body = '', headers: RawRequest['headers'] = []) => ({
    method,
    target: path,
    body,
    headers: [
      ['Host', path === signed ? DATA_HOST : registry.address] as const,
      ...(authorization === '' ? [] : [['Authorization', authorization] as const]),
      ...headers,
    ],
  })
  const form = (path: string, fields: Record<string, string>) =>
    make('POST', path, String(new URLSearchParams(fields)), [['Content-Type', FORM]])
  const scope = `repository:${name}:pull,push`
  return [
    make('GET', '/v2/'),
    make('GET', '/v2/_catalog?n=2&last=a'),
    make('GET', `/v2/${name}/tags/list?n=1&last=a`),
    make('GET', `/v2/${name}/manifests/v1`),
    make('HEAD', `/v2/${name}/manifests/${digest}`),
    make('PUT', `/v2/${name}/manifests/v2`, manifest, [['Content-Type', OCI_MANIFEST]]),
    make('PUT', `/v2/${name}/manifests/${digestOf(Buffer.from(manifest))}?tag=v3`, manifest),
    make('DELETE', `/v2/${name}/manifests/v2`),
    make('DELETE', `/v2/${name}/manifests/${source.digest}`),
    make('GET', `/v2/${name}/referrers/${digest}?artifactType=a/b&n=1`),
    make('GET', `/v2/${name}/blobs/${layer}`, '', [['Range', 'bytes=1-2']]),
    make('HEAD', `/v2/${name}/blobs/${source.layer}`),
    make('DELETE', `/v2/${name}/blobs/${source.layer}`),
    make('POST', `/v2/${name}/blobs/uploads/`),
    make('POST', `/v2/${name}/blobs/uploads/?digest=${digestOf(Buffer.from(bytes))}`, bytes),
    make('POST', `/v2/${name}/blobs/uploads/?mount=${source.layer}&from=${source.repository}`),
    make('POST', `/v2/${name}/blobs/uploads/?mount=${source.layer}`),
    make('GET', upload),
    make('PATCH', upload, bytes, [['Content-Range', `0-${bytes.length - 1}`]]),
    make('PUT', `${upload}&digest=${source.layer}`, bytes),
    make('DELETE', upload),
    make('GET', '/acr/v1/_catalog?n=2'),
    make('GET', `/acr/v1/${encodeURIComponent(name)}`),
    make('GET', `/acr/v1/${name}/_tags?orderby=timedesc&n=1&last=v1&digest=${digest}`),
    make('GET', `/acr/v1/${name}/_tags/v1`),
    make('GET', `/acr/v1/${name}/_manifests?orderby=timeasc`),
    make('GET', `/acr/v1/${name}/_manifests/${digest}`),
    make('PATCH', `/acr/v1/${name}/_tags/v1`, '{"writeEnabled":true}'),
    make('DELETE', `/acr/v1/${name}/_tags/v2`),
    make('GET', `/oauth2/token?service=${registry.address}&scope=${scope}`),
    form('/oauth2/token', { grant_type: 'refresh_token', refresh_token: 'a.b.c', scope }),
    form('/oauth2/token', { grant_type: 'password', username: 'app-x', password: 'x', scope }),
    form('/oauth2/exchange', { grant_type: 'access_token', access_token: 'aad-nobody' }),
    make('GET', signed),
  ]
}

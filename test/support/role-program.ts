import { argv, env } from 'node:process'

/**
 * A principal that tries everything: prints the names of what it was allowed to do, on the resources of the group in the
 * first argument and the registry in the second. What is allowed changes nothing that others look at.
 */
const [, , group = '', registry = ''] = argv
const ARM = 'https://management.azure.com'
const HOST = `${registry}.azurecr.io`
const NOBODY = '00000000-0000-4000-8000-000000000000'
const ACR_PULL = `/providers/Microsoft.Authorization/roleDefinitions/7f951dda-4ed3-4680-a7ca-43fe172d538d`

async function post(url: string, form: Readonly<Record<string, string>>) {
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form) })
  return answer.ok ? ((await answer.json()) as Readonly<Record<string, string>>) : undefined
}

const signIn = async (resource: string): Promise<string> => {
  const url = `https://login.microsoftonline.com/${env.AZURE_TENANT_ID}/oauth2/v2.0/token`
  const granted = await post(url, {
    grant_type: 'client_credentials',
    client_id: env.AZURE_CLIENT_ID ?? '',
    client_secret: env.AZURE_CLIENT_SECRET ?? '',
    scope: `${resource}/.default`,
  })
  if (!granted?.access_token) throw new Error('the principal could not sign in')
  return granted.access_token
}

const armToken = await signIn(ARM)
const acr = await post(`https://${HOST}/oauth2/exchange`, {
  grant_type: 'access_token',
  service: HOST,
  access_token: await signIn('https://containerregistry.azure.net'),
})

type Attempt = readonly [name: string, method: string, path: string, body?: object]

const REGISTRY = `${group}/providers/Microsoft.ContainerRegistry/registries/${registry}`
const NETWORK = `${group}/providers/Microsoft.Network/virtualNetworks/net`
const ZONE = `${group}/providers/Microsoft.Network/privateDnsZones/a.example`
const ASSIGNMENTS = `${group}/providers/Microsoft.Authorization/roleAssignments`

const CONTROL: readonly Attempt[] = [
  ['read registry', 'GET', `${REGISTRY}?api-version=2023-07-01`],
  ['write registry', 'PATCH', `${REGISTRY}?api-version=2023-07-01`, { tags: {} }],
  ['list credentials', 'POST', `${REGISTRY}/listCredentials?api-version=2023-07-01`],
  ['delete registry', 'DELETE', `${REGISTRY}gone?api-version=2023-07-01`],
  ['read network', 'GET', `${NETWORK}?api-version=2022-07-01`],
  ['write network', 'PATCH', `${NETWORK}?api-version=2022-07-01`, { tags: {} }],
  ['read zone', 'GET', `${ZONE}?api-version=2020-06-01`],
  ['write zone', 'PATCH', `${ZONE}?api-version=2020-06-01`, { tags: {} }],
  ['read group', 'GET', `${group}?api-version=2021-04-01`],
  [
    'assign role',
    'PUT',
    `${ASSIGNMENTS}/${NOBODY}?api-version=2022-04-01`,
    { properties: { roleDefinitionId: ACR_PULL, principalId: NOBODY } },
  ],
]

const CONTENT: readonly Attempt[] = [
  ['pull', 'GET', '/v2/hello-world/manifests/v1'],
  ['list tags', 'GET', '/v2/hello-world/tags/list'],
  ['read metadata', 'GET', '/acr/v1/hello-world'],
  ['list repositories', 'GET', '/acr/v1/_catalog'],
  ['push', 'POST', '/v2/pushed/blobs/uploads/'],
  ['delete manifest', 'DELETE', '/v2/hello-world/manifests/gone'],
  ['delete repository', 'DELETE', '/acr/v1/gone'],
]

async function mayControl([, method, path, body]: Attempt): Promise<boolean> {
  const answer = await fetch(`${ARM}${path}`, {
    method,
    headers: { authorization: `Bearer ${armToken}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (answer.status >= 500) throw new Error(`${method} ${path}: ${answer.status}`)
  return answer.status !== 403
}

/** As clients do: ask, be told which scope is needed, get a token for it, ask again. */
async function mayTouch([, method, path]: Attempt): Promise<boolean> {
  const url = `https://${HOST}${path}`
  const challenge = (await fetch(url, { method })).headers.get('www-authenticate') ?? ''
  const scope = /scope="([^"]+)"/.exec(challenge)?.[1] ?? ''
  const narrowed = await post(`https://${HOST}/oauth2/token`, {
    grant_type: 'refresh_token',
    service: HOST,
    scope,
    refresh_token: acr?.refresh_token ?? '',
  })
  const authorization = `Bearer ${narrowed?.access_token}`
  const answer = await fetch(url, { method, headers: { authorization } })
  if (answer.status >= 500) throw new Error(`${method} ${path}: ${answer.status}`)
  return answer.status !== 401
}

const allowed: string[] = []
for (const attempt of CONTROL) if (await mayControl(attempt)) allowed.push(attempt[0])
for (const attempt of CONTENT) if (await mayTouch(attempt)) allowed.push(attempt[0])
process.stdout.write(JSON.stringify(allowed))

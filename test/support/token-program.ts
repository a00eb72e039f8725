import { argv, env } from 'node:process'

/** Every kind of token that a principal can get for a registry and its control plane. */
export interface TokensOfAll {
  readonly arm: string
  readonly graph: string
  readonly refresh: string
  readonly access: string
}

/**
 * Gets one token of each kind for the registry in the first argument and prints them; with tokens in the second, prints
 * instead which status each is answered with.
 */
const [, , registry = '', given] = argv
const HOST = `${registry}.azurecr.io`
const SCOPE = 'repository:hello-world:pull'

const post = (url: string, form: Readonly<Record<string, string>>) =>
  fetch(url, { method: 'POST', body: new URLSearchParams(form) })

async function granted(url: string, form: Readonly<Record<string, string>>, name: string) {
  const answer = await post(url, form)
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  return String(((await answer.json()) as Readonly<Record<string, unknown>>)[name])
}

const signIn = (resource: string) =>
  granted(
    `https://login.microsoftonline.com/${env.AZURE_TENANT_ID}/oauth2/v2.0/token`,
    {
      grant_type: 'client_credentials',
      client_id: env.AZURE_CLIENT_ID ?? '',
      client_secret: env.AZURE_CLIENT_SECRET ?? '',
      scope: `${resource}/.default`,
    },
    'access_token',
  )

const narrowing = (refresh: string) => ({
  grant_type: 'refresh_token',
  service: HOST,
  scope: SCOPE,
  refresh_token: refresh,
})

async function get(): Promise<TokensOfAll> {
  const form = {
    grant_type: 'access_token',
    service: HOST,
    access_token: await signIn('https://containerregistry.azure.net'),
  }
  const refresh = await granted(`https://${HOST}/oauth2/exchange`, form, 'refresh_token')
  return {
    arm: await signIn('https://management.azure.com'),
    graph: await signIn('https://graph.microsoft.com'),
    refresh,
    access: await granted(`https://${HOST}/oauth2/token`, narrowing(refresh), 'access_token'),
  }
}

async function use({ arm, graph, refresh, access }: TokensOfAll) {
  const statusOf = async (url: string, token: string) =>
    (await fetch(url, { headers: { authorization: `Bearer ${token}` } })).status
  const subscription = `/subscriptions/${env.AZURE_SUBSCRIPTION_ID}?api-version=2021-04-01`
  return {
    arm: await statusOf(`https://management.azure.com${subscription}`, arm),
    graph: await statusOf('https://graph.microsoft.com/v1.0/users', graph),
    refresh: (await post(`https://${HOST}/oauth2/token`, narrowing(refresh))).status,
    access: await statusOf(`https://${HOST}/v2/hello-world/manifests/v1`, access),
  }
}

const printed = given === undefined ? await get() : await use(JSON.parse(given) as TokensOfAll)
process.stdout.write(JSON.stringify(printed))

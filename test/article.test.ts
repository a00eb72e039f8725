import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type ArticleCommands, articleCommands, fillPlaceholders } from './support/article.ts'
import { AZ_LOGIN, bash } from './support/az.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { type DockerEngine, startDockerEngine } from './support/docker-engine.ts'
import { needs } from './support/needs.ts'
import { succeeded } from './support/run.ts'

const NAMES = {
  'container-registry-name': 'myregistry',
  'container-registry-location': 'westeurope',
  'resource-group-name': 'myResourceGroup',
  'virtual-network-name': 'myDockerVMVNET',
  'subnet-name': 'myDockerVMSubnet',
}
const network = { vnet: NAMES['virtual-network-name'] }

// What the article expects to exist before its CLI section begins.
const BEFOREHAND = `
  az group create --name $RESOURCE_GROUP --location $REGISTRY_LOCATION
  az network vnet create --resource-group $RESOURCE_GROUP --name $NETWORK_NAME \\
    --address-prefix 10.0.0.0/16 --subnet-name $SUBNET_NAME --subnet-prefix 10.0.0.0/24
  az acr create --resource-group $RESOURCE_GROUP --name $REGISTRY_NAME --sku Premium
  az acr import --name $REGISTRY_NAME --source mcr.microsoft.com/hello-world --image hello-world:v1
  az acr replication create --registry $REGISTRY_NAME --location eastus
`

const QUERIED = [
  'REGISTRY_PRIVATE_IP',
  'DATA_ENDPOINT_PRIVATE_IP',
  'REGISTRY_FQDN',
  'DATA_ENDPOINT_FQDN',
  'GEO_REPLICA_DATA_ENDPOINT_PRIVATE_IP',
  'GEO_REPLICA_DATA_ENDPOINT_FQDN',
] as const
const MARK = '--- queried ---'

// Each test continues where the one before it ended, as the article's sections do.
describe('the CLI section of the article, word for word', {
  ...needs('places', 'ip', 'az', 'dig', 'shared data'),
  timeout: 900_000,
}, () => {
  let causeway: Causeway
  let engine: DockerEngine | undefined
  let article: ArticleCommands
  let variables: string
  let addresses: Readonly<Record<string, string>> = {}

  before(async () => {
    article = await articleCommands()
    variables = fillPlaceholders(article.variables, NAMES)
    causeway = await startCauseway()
  })
  after(async () => {
    await engine?.stop()
    await causeway?.remove()
  })

  const outside = async (script: string): Promise<string> =>
    succeeded(await bash(causeway, internet, `${variables}\n${script}`, { timeoutSeconds: 420 }))

  test('what it presupposes is made by az, outside every network', async () => {
    const { subscriptionId } = await causeway.status()
    const prerequisites = fillPlaceholders(article.prerequisites, {
      'Name or ID of subscription of private link': subscriptionId,
    })
    await outside(`${AZ_LOGIN}\n${prerequisites}\n${BEFOREHAND}`)
  })

  test('every block of the set-up succeeds, and the six queries print addresses and names', async () => {
    const echoes = QUERIED.map((name) => `echo ${name}="$${name}"`).join('\n')
    const printed = await outside(`${article.setUp}\necho '${MARK}'\n${echoes}`)
    const lines = printed.slice(printed.indexOf(MARK)).trim().split('\n').slice(1)
    addresses = Object.fromEntries(lines.map((line) => line.split('=') as [string, string]))
    for (const name of QUERIED) {
      const shape = name.endsWith('_IP') ? /^10\.0\.0\.\d+$/ : /^myregistry\..*azurecr\.io$/
      assert.match(addresses[name] ?? '', shape, name)
    }
    assert.equal(addresses.REGISTRY_FQDN, 'myregistry.azurecr.io')
    assert.equal(addresses.DATA_ENDPOINT_FQDN, 'myregistry.westeurope.data.azurecr.io')
    assert.equal(addresses.GEO_REPLICA_DATA_ENDPOINT_FQDN, 'myregistry.eastus.data.azurecr.io')
    const distinct = new Set(
      QUERIED.filter((name) => name.endsWith('_IP')).map((n) => addresses[n]),
    )
    assert.equal(distinct.size, 3, 'each member has an address of its own')
  })

  // The article's last command before this goes to Docker Engine, which needs root.
  test('inside the network, dig shows the private address, and az a token for it', async () => {
    const printed = succeeded(
      await bash(
        causeway,
        network,
        `${AZ_LOGIN}\n${variables}\ndig $REGISTRY_NAME.azurecr.io\naz acr login --name $REGISTRY_NAME --expose-token`,
      ),
    )
    assert.deepEqual(answerSection(printed), [
      'myregistry.azurecr.io. CNAME myregistry.privatelink.azurecr.io.',
      `myregistry.privatelink.azurecr.io. A ${addresses.REGISTRY_PRIVATE_IP}`,
    ])
    assert.match(printed, /"loginServer": "myregistry\.azurecr\.io"/)
  })

  test('inside the network, dig, az acr login and docker pull do as the article shows', {
    ...needs('root', 'docker'),
  }, async () => {
    engine = await startDockerEngine(causeway, network)
    const printed = succeeded(
      await bash(causeway, network, `${AZ_LOGIN}\n${variables}\n${article.fromTheNetwork}`, {
        root: true,
        variables: { DOCKER_HOST: engine.host },
      }),
    )
    assert.deepEqual(answerSection(printed), [
      'myregistry.azurecr.io. CNAME myregistry.privatelink.azurecr.io.',
      `myregistry.privatelink.azurecr.io. A ${addresses.REGISTRY_PRIVATE_IP}`,
    ])
    // The record set was made by hand, without a TTL: az gives it an hour.
    assert.match(printed, /^myregistry\.privatelink\.azurecr\.io\.\s+3600\s+IN\s+A\s/m)
    assert.match(printed, /Login Succeeded/)
    assert.match(
      printed,
      /Status: Downloaded newer image for myregistry\.azurecr\.io\/hello-world:v1/,
    )
  })

  test('outside, dig shows the public chain', async () => {
    const chain = answerSection(await outside('dig $REGISTRY_NAME.azurecr.io'))
    assert.equal(chain[0], 'myregistry.azurecr.io. CNAME myregistry.privatelink.azurecr.io.')
    assert.ok(chain.length >= 4, chain.join('\n'))
    assert.match(chain[1] ?? '', /^myregistry\.privatelink\.azurecr\.io\. CNAME /)
    assert.match(chain.at(-1) ?? '', /^\S+\.westeurope\.cloudapp\.azure\.com\. A /)
    assert.doesNotMatch(chain.at(-1) ?? '', / A 10\./)
  })

  test('the connections of the registry are listed', async () => {
    const [connection] = JSON.parse(await outside(article.manageConnections)) as {
      privateLinkServiceConnectionState: { status: string }
    }[]
    assert.equal(connection?.privateLinkServiceConnectionState.status, 'Approved')
  })

  test('deleting the group leaves nothing that listens, resolves or stands', async () => {
    await engine?.stop()
    engine = undefined
    const before = await causeway.status()
    const place = before.places.find(({ name }) => name === network.vnet)
    assert.ok(place && place.listeners.length > 0, 'the endpoint listened until now')

    // az asks for a yes only on a terminal, which `script` gives it.
    const asked = await causeway.inPlace(
      internet,
      ['script', '-qec', 'bash -euo pipefail -c "$CLEAN_UP"', '/dev/null'],
      {
        input: 'y\n',
        variables: { CLEAN_UP: `${variables}\n${article.cleanUp}` },
        timeoutSeconds: 300,
      },
    )
    succeeded(asked)

    const { places } = await causeway.status()
    assert.deepEqual(
      places.map(({ name }) => name),
      ['internet'],
    )
    assert.deepEqual(await causeway.namespaces(), [places[0]?.namespace])
    assert.match(await outside('dig $REGISTRY_NAME.azurecr.io'), /status: NXDOMAIN/)
  })
})

/** The answer lines of a dig, without their TTLs. */
function answerSection(printed: string): readonly string[] {
  const [, section = ''] = printed.split(';; ANSWER SECTION:\n')
  const [answers = ''] = section.split('\n\n')
  return answers
    .split('\n')
    .map((line) => line.split(/\s+/))
    .map(([name, _ttl, _class, type, value]) => `${name} ${type} ${value}`)
}

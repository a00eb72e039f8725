import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { AZ_LOGIN, bash } from './support/az.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { failed, succeeded } from './support/run.ts'

const LOGIN_SERVER = 'myregistry.registry.example.com'
const inside = { vnet: 'myDockerVMVNET' }

describe("the set-up of the article on a domain of one's own", {
  ...needs('places', 'ip', 'dig', 'curl'),
  timeout: 240_000,
}, () => {
  let causeway: Causeway

  before(async () => {
    causeway = await startCauseway({
      setUp: true,
      configuration: 'registryDomain: registry.example.com\n',
    })
  })
  after(() => causeway?.remove())

  test('is proven, and what to try names that domain', () => {
    assert.match(causeway.printed(), /^Proven: it is served inside the network/m)
    assert.match(causeway.printed(), new RegExp(`exec --internet -- dig ${LOGIN_SERVER}`))
    assert.doesNotMatch(causeway.printed(), /azurecr\.io/)
  })

  test('inside, the name leads through the private zone of the domain', async () => {
    const chain = succeeded(await causeway.inPlace(inside, ['dig', '+short', LOGIN_SERVER]))
    assert.equal(chain, 'myregistry.privatelink.registry.example.com.\n10.0.0.7\n')
    const told = succeeded(
      await causeway.command(['resolve', LOGIN_SERVER, '--vnet', 'myDockerVMVNET']),
    )
    assert.match(
      told,
      /record set A\/myregistry in the zone privatelink\.registry\.example\.com, by its link MyDNSLink/,
    )
  })

  test("a cloud's own domain is nobody's there", async () => {
    const url = 'https://myregistry.azurecr.io/v2/'
    assert.match(
      failed(await causeway.inPlace(internet, ['curl', '-sS', url])),
      /Could not resolve host/,
    )
  })

  test('the authority of places signs the domain, and not what its private zone answers for', {
    ...needs('openssl'),
  }, async () => {
    const { authorities } = await causeway.status()
    const { stdout } = await promisify(execFile)('openssl', [
      ...['x509', '-noout', '-ext', 'nameConstraints', '-in', authorities.place],
    ])
    const [, permitted = '', excluded = ''] = /Permitted:(.*)Excluded:(.*)/s.exec(stdout) ?? []
    assert.match(permitted, /DNS:registry\.example\.com/)
    assert.doesNotMatch(permitted, /azurecr/)
    assert.match(excluded, /DNS:privatelink\.registry\.example\.com/)
  })

  test('az signs in to the registry through its private endpoint', { ...needs('az') }, async () => {
    const script = `${AZ_LOGIN}\naz acr login --name myregistry --expose-token --output json`
    assert.match(
      succeeded(await bash(causeway, inside, script)),
      new RegExp(`"loginServer": "${LOGIN_SERVER}"`),
    )
  })
})

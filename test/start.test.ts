import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, internet, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { succeeded } from './support/run.ts'

const HOST = 'myregistry.azurecr.io'
const network = { vnet: 'myDockerVMVNET' }

// What a person sees who types `npm start`.
describe('the first start', { ...needs('places', 'ip', 'dig'), timeout: 180_000 }, () => {
  let causeway: Causeway

  before(async () => {
    causeway = await startCauseway({ setUp: true })
  })
  after(() => causeway?.remove())

  test('shows what is proven inside and outside', () => {
    const printed = causeway.printed()
    assert.match(printed, /inside/i)
    assert.match(printed, /outside|internet/i)
    assert.match(printed, /myregistry\.privatelink\.azurecr\.io/)
    assert.match(printed, /10\.0\.0\.7/)
    // The table may wrap what follows.
    assert.match(printed, /client with IP '[\d.]+' is not/)
    assert.match(printed, /Proven/)
  })

  test("inside, dig prints the article's two answer lines", async () => {
    const answer = ['dig', '+noall', '+answer', HOST]
    const lines = succeeded(await causeway.inPlace(network, answer))
      .trim()
      .split('\n')
    assert.equal(lines.length, 2)
    assert.match(
      lines[0] ?? '',
      /^myregistry\.azurecr\.io\.\s+\d+\s+IN\s+CNAME\s+myregistry\.privatelink\.azurecr\.io\.$/,
    )
    assert.match(
      lines[1] ?? '',
      /^myregistry\.privatelink\.azurecr\.io\.\s+10\s+IN\s+A\s+10\.0\.0\.7$/,
    )
  })

  test('outside, the same name has a public address', async () => {
    const short = succeeded(await causeway.inPlace(internet, ['dig', '+short', HOST]))
    const names = short.trim().split('\n')
    assert.equal(names[0], 'myregistry.privatelink.azurecr.io.')
    assert.doesNotMatch(names.at(-1) ?? '', /^10\./)
  })

  test('a second start finds everything again and makes nothing anew', async () => {
    const arm = await createArmClient(causeway)
    const resources = async () =>
      (await arm.get(`${arm.subscription}/resources`)).body.value?.map(({ id }) => id).sort()
    const etag = async () =>
      (
        await arm.get(
          `${arm.subscription}/resourceGroups/myResourceGroup/providers/Microsoft.Network/privateEndpoints/myPrivateEndpoint`,
        )
      ).body
    const [before, endpoint] = [await resources(), await etag()]
    assert.equal(await causeway.end('SIGINT'), 0)
    await causeway.startAgain()
    const again = await createArmClient(causeway, 'Reader')
    const after = await again.get(`${again.subscription}/resources`)
    assert.deepEqual(after.body.value?.map(({ id }) => id).sort(), before)
    const { body } = await again.get(String(endpoint.id))
    assert.deepEqual(body, endpoint)
  })
})

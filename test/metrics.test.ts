import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { samplesOf } from '../src/metrics/samples-for-tests.ts'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { fetchOverTls } from './support/https-client.ts'
import { makeGroup, makeRegistry } from './support/private-registry.ts'

describe('/metrics', { timeout: 120_000 }, () => {
  let causeway: Causeway

  before(async () => {
    causeway = await startCauseway()
  })
  after(() => causeway?.remove())

  const read = async () => {
    const { urls, authorities } = await causeway.status()
    const ca = await readFile(authorities.host, 'utf8')
    const { status, headers, text } = await fetchOverTls(`${urls.control}metrics`, { ca })
    assert.equal(status, 200)
    assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
    return samplesOf(text)
  }

  test('tells of what is there and what was asked, without a name of any of it', async () => {
    const arm = await createArmClient(causeway)
    const before = await read()
    await makeRegistry(arm, await makeGroup(arm, 'measured'), 'measuredhouse')
    const after = await read()
    assert.equal(before.get('causeway_registries'), 0)
    assert.equal(after.get('causeway_registries'), 1)
    const puts =
      'causeway_http_request_duration_seconds_count{plane="control",operation="put",code="2xx"}'
    assert.equal((after.get(puts) ?? 0) - (before.get(puts) ?? 0), 2)
    for (const name of [
      'causeway_http_sent_bytes_total{plane="control"}',
      'causeway_storage_bytes{state="free"}',
      'causeway_database_bytes',
      'process_open_fds',
    ]) {
      assert.ok((after.get(name) ?? 0) > 0, name)
    }
    assert.equal(after.get('causeway_dns_responses_total{rcode="NXDOMAIN"}'), 0)
    assert.doesNotMatch([...after.keys()].join('\n'), /measured/)
  })
})

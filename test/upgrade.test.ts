import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { MIGRATIONS } from '../src/storage/migrations.ts'
import { schemaNumber } from '../src/storage/schema-record.ts'
import { listBackups } from '../src/storage/upgrade-backup.ts'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { accessToken, bearer, curl, firstLayer } from './support/registry-client.ts'
import { releaseFixtures, unpackFixture } from './support/release-fixture.ts'
import { failed, succeeded } from './support/run.ts'

const NEWEST = schemaNumber(Object.keys(MIGRATIONS))

/** What is in the data folder itself, as a text that changes with any of it. */
const contentOf = (folder: string) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => {
      const hash = createHash('sha256').update(readFileSync(join(folder, name)))
      return `${name} ${hash.digest('hex')}`
    })

// The tests of one data folder build on each other.
for (const [name, fixture] of releaseFixtures) {
  describe(`a data folder that Causeway ${name} has left`, {
    ...needs('places', 'curl'),
    timeout: 240_000,
  }, () => {
    let causeway: Causeway

    before(async () => {
      causeway = await startCauseway({ prepare: (folder) => unpackFixture(name, folder) })
    })
    after(() => causeway?.remove())

    const backups = () => listBackups(join(causeway.dataFolder, 'backups'))

    async function isWhole(): Promise<void> {
      const { state, places } = await causeway.status()
      assert.equal(state, 'serving')
      const arm = await createArmClient(causeway, 'Reader')
      for (const id of fixture.resources) assert.equal((await arm.get(id)).status, 200, id)
      for (const { network, address, loginServer } of fixture.images) {
        const { listeners = [] } = places.find((place) => place.name === network) ?? {}
        assert.ok(
          listeners.some((each) => each.address === address && each.host === loginServer),
          `${loginServer} does not listen on ${address}`,
        )
      }
    }

    test('is served with everything that was in it', () => isWhole())

    test('still gives out its images, inside of their networks', async () => {
      for (const { network: vnet, loginServer, digest } of fixture.images) {
        const place = { vnet }
        const token = await accessToken(causeway, place, loginServer, 'repository:hello-world:pull')
        const base = `https://${loginServer}/v2/hello-world`
        const manifest = await curl(causeway, place, [...bearer(token), `${base}/manifests/v1`])
        assert.equal(manifest.status, 200)
        assert.equal(manifest.headers['docker-content-digest'], digest)
        const image = { loginServer, repository: 'hello-world', tag: 'v1' }
        const layer = await firstLayer(causeway, place, image, token)
        const answer = await curl(causeway, place, [
          ...['-L', '-o', '/dev/null', '-w', '%{size_download}'],
          ...[...bearer(token), `${base}/blobs/${layer}`],
        ])
        assert.notEqual(answer.text, '0')
      }
    })

    test('still knows its principals, and signs them in by the secrets they have', async () => {
      const { name: principal, appId, secret } = fixture.principal
      const list = succeeded(await causeway.command(['principal', 'list', '--json']))
      assert.ok(
        (JSON.parse(list) as { name: string; appId: string }[]).some(
          (each) => each.name === principal && each.appId === appId,
        ),
      )
      const { tenantId } = await causeway.status()
      const answer = await curl(causeway, { internet: true }, [
        `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`,
        ...['-d', 'grant_type=client_credentials', '-d', `client_id=${appId}`],
        ...['--data-urlencode', `client_secret=${secret}`],
        ...['--data-urlencode', 'scope=https://management.azure.com/.default'],
      ])
      assert.equal(answer.status, 200, answer.text)
    })

    test('has kept the database from before, if it was upgraded, and can be taken back to it', async () => {
      const [backup] = await backups()
      assert.equal(backup?.schema, fixture.schema === NEWEST ? undefined : fixture.schema)
      assert.equal(causeway.printed().includes('database upgraded'), backup !== undefined)
      if (!backup) return
      assert.match(failed(await causeway.command(['restore', backup.file])), /is served already/)
      await causeway.end('SIGTERM')
      assert.match(succeeded(await causeway.command(['restore', backup.file])), /is kept: /)
      await causeway.startAgain()
      await isWhole()
    })

    test('is refused, and left as it is, once a later version has written it', async () => {
      await causeway.end('SIGTERM')
      const database = new DatabaseSync(join(causeway.dataFolder, 'causeway.db'))
      database.exec(`
        INSERT INTO kysely_migration VALUES ('9999-later', '2099-01-01T00:00:00Z');
        INSERT INTO schema_writers VALUES ('9.9.9', '2099-01-01T00:00:00Z')`)
      database.close()
      const before = contentOf(causeway.dataFolder)
      const refusal = failed(await causeway.command(['up', '--empty', '--port', '0']))
      assert.match(refusal, /was written by Causeway 9\.9\.9 \(schema 9999/)
      assert.match(refusal, /Start version 9\.9\.9 or a later one, or .*'causeway restore/)
      assert.deepEqual(contentOf(causeway.dataFolder), before)
    })
  })
}

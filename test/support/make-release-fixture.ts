/** Makes a data folder by the public interface and packs it, with what it holds: `<folder of fixtures>`. */
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { type ArmDocument, accepted, createArmClient } from './arm-client.ts'
import { startCauseway } from './causeway.ts'
import {
  connect,
  importSample,
  makeGroup,
  makeNetwork,
  makeRegistry,
  setPublicAccess,
  ZONE,
} from './private-registry.ts'
import { accessToken, bearer, curl } from './registry-client.ts'
import type { ReleaseFixture } from './release-fixture.ts'
import { succeeded } from './run.ts'

// What a later start makes anew, and what belongs to the machine.
const LEFT_OUT = ['run', 'logs', 'places', 'clients', 'backups', 'authorities/place-bundle.pem']

const [fixtures = ''] = process.argv.slice(2)
const causeway = await startCauseway({ setUp: true })
try {
  const { version } = await causeway.status()
  const arm = await createArmClient(causeway)
  const group = await makeGroup(arm, 'kept')
  const registry = await makeRegistry(arm, group, 'fixturehouse')
  await importSample(arm, registry)
  const network = await makeNetwork(arm, group, 'second', '10.1.0.0/16', '10.1.0.0/24')
  const { address } = await connect(arm, network, registry)
  await setPublicAccess(arm, registry, 'Disabled')
  const record = `${group}/providers/Microsoft.Network/privateDnsZones/${ZONE}/A/handmade`
  const aRecords = [{ ipv4Address: '10.1.0.99' }]
  accepted(await arm.put(record, { properties: { ttl: 60, aRecords } }))
  const created = await causeway.command([
    ...[
      'principal',
      'create',
      'keeper',
      '--role',
      'AcrPull',
      '--scope',
      arm.subscription,
      '--json',
    ],
  ])
  const { name, appId, secret } = JSON.parse(succeeded(created)) as ReleaseFixture['principal']

  const listed = accepted(await arm.get<{ value: ArmDocument[] }>(`${arm.subscription}/resources`))
  const resources = [...listed.value.map(({ id }) => String(id)), group, record]
  const images = [
    await describeImage('myDockerVMVNET', 'myregistry.azurecr.io', '10.0.0.7'),
    await describeImage(network.name, registry.loginServer, address),
  ]
  await causeway.end('SIGTERM')

  const schema = schemaOf(join(causeway.dataFolder, 'causeway.db'))
  const folder = join(fixtures, `${version}-schema-${schema}`)
  await mkdir(folder, { recursive: true })
  const fixture: ReleaseFixture = {
    version,
    schema,
    resources,
    principal: { name, appId, secret },
    images,
  }
  await writeFile(join(folder, 'expected.json'), `${JSON.stringify(fixture, null, 2)}\n`)
  execFileSync('tar', [
    ...['-czf', join(folder, 'data-folder.tar.gz'), '--owner=0', '--group=0', '--numeric-owner'],
    ...LEFT_OUT.map((part) => `--exclude=./${part}`),
    ...['--directory', causeway.dataFolder, '.'],
  ])
  process.stdout.write(`${folder}\n`)
} finally {
  await causeway.remove()
}

async function describeImage(
  vnet: string,
  loginServer: string,
  address: string,
): Promise<ReleaseFixture['images'][number]> {
  const token = await accessToken(causeway, { vnet }, loginServer, 'repository:hello-world:pull')
  const url = `https://${loginServer}/v2/hello-world/manifests/v1`
  const { headers } = await curl(causeway, { vnet }, [...bearer(token), url])
  return { network: vnet, loginServer, address, digest: headers['docker-content-digest'] ?? '' }
}

function schemaOf(file: string): number {
  const location = pathToFileURL(file)
  // Nothing is to be left beside it.
  location.searchParams.set('immutable', '1')
  const database = new DatabaseSync(location, { readOnly: true })
  const last = database.prepare('SELECT max(name) AS name FROM kysely_migration').get()
  database.close()
  return Number.parseInt(String(last?.name), 10)
}

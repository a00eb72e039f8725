import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readConfig, workersFor } from './config.ts'
import { ConfigError } from './configuration/config-error.ts'

async function fileWith(t: { after(hook: () => Promise<void>): void }, text: string) {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-config-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'causeway.yaml')
  await writeFile(file, text)
  return { folder, file }
}

test('without a file there are only defaults', async () => {
  const config = await readConfig({}, { HOME: '/home/u' })
  assert.equal(config.port, 7443)
  assert.equal(config.registryDomain, undefined)
  assert.deepEqual(config.names, { port: 7453, isPortAsked: false, listeners: [] })
  assert.deepEqual(config.egress, { allow: [] })
  assert.deepEqual([config.cache, config.keyVault], [{ recheckSeconds: 300 }, {}])
  assert.ok(Object.isFrozen(config))
})

test('a flag goes before the environment, that before the file', async (t) => {
  const { file } = await fileWith(t, 'port: 1111\ndataFolder: /srv/file\nlogLevel: warn\n')
  const environment = { CAUSEWAY_CONFIG: file, CAUSEWAY_DATA: '/srv/environment' }
  const { port, dataFolder, logLevel } = await readConfig({}, environment)
  assert.deepEqual([port, dataFolder, logLevel], [1111, '/srv/environment', 'warn'])
  const flags = { config: file, port: '2222', data: '/srv/flag', logLevel: 'debug' }
  const flagged = await readConfig(flags, { ...environment, CAUSEWAY_LOG_LEVEL: 'error' })
  assert.deepEqual(
    [flagged.port, flagged.dataFolder, flagged.logLevel],
    [2222, '/srv/flag', 'debug'],
  )
  assert.equal((await readConfig({ config: file }, {})).dataFolder, '/srv/file')
})

test('paths in the file begin at its folder, names are lower case', async (t) => {
  const { file, folder } = await fileWith(
    t,
    'dataFolder: data\nregistryDomain: Registry.Example.COM\ncertificates: [{ chainFile: a.pem, keyFile: /b.key }]\nkeyVault: { secretsFile: secrets.yaml }\n',
  )
  const { dataFolder, certificates, registryDomain, keyVault } = await readConfig(
    { config: file },
    {},
  )
  assert.equal(keyVault.secretsFile, join(folder, 'secrets.yaml'))
  assert.equal(dataFolder, join(folder, 'data'))
  assert.equal(registryDomain, 'registry.example.com')
  assert.deepEqual(certificates, [{ chainFile: join(folder, 'a.pem'), keyFile: '/b.key' }])
})

test('who takes any port for the control plane takes any for names', async (t) => {
  assert.equal((await readConfig({ port: '0' }, {})).names.port, 0)
  const { file } = await fileWith(t, 'names: { port: 5353 }\n')
  assert.deepEqual((await readConfig({ port: '0', config: file }, {})).names, {
    port: 5353,
    isPortAsked: true,
    listeners: [],
  })
})

test('the number of workers, and what is none', async (t) => {
  const { file } = await fileWith(t, 'workers: 3\n')
  assert.equal((await readConfig({ workers: '0' }, {})).workers, 0)
  assert.equal((await readConfig({ config: file }, {})).workers, 3)
  assert.equal((await readConfig({ config: file }, { CAUSEWAY_WORKERS: '2' })).workers, 2)
  assert.equal((await readConfig({ workers: '1' }, { CAUSEWAY_WORKERS: '2' })).workers, 1)
  for (const workers of ['-1', '65', 'many', '', '1.5']) {
    await assert.rejects(readConfig({ workers }, {}), /not a number of workers: .* from 0 to 64/)
  }
  const { file: wrong } = await fileWith(t, 'workers: some\n')
  await assert.rejects(readConfig({ config: wrong }, {}), /:1: workers is "some": give a number/)
})

test('as many workers as cores by default, 4 at most, and none for a single core', async () => {
  assert.deepEqual([1, 2, 3, 4, 5, 64].map(workersFor), [0, 2, 3, 4, 4, 4])
  const expected = workersFor(availableParallelism())
  assert.equal((await readConfig({}, {})).workers, expected)
  assert.equal((await readConfig({ workers: 'auto' }, {})).workers, expected)
})

test('refused: a file that is not there, a level that there is not', async () => {
  await assert.rejects(readConfig({ config: '/none.yaml' }, {}), {
    name: ConfigError.name,
    message: /\/none\.yaml cannot be read .*ENOENT.*--config or CAUSEWAY_CONFIG/,
  })
  await assert.rejects(readConfig({ config: ' ' }, {}), /empty name/)
  await assert.rejects(readConfig({ logLevel: 'loud' }, {}), /'loud' is not a log level/)
})

import { join } from 'node:path'
import { test } from 'node:test'
import { needs } from './support/needs.ts'
import { run, succeeded } from './support/run.ts'
import { projectFolder } from './support/shared-data.ts'

// What is not on loopback needs addresses, and those of the machine are not ours: the suite gets a network of its own.
test('a registry on a network, by the configuration of the guide', {
  ...needs('root', 'ip', 'curl', 'dig', 'skopeo'),
  timeout: 300_000,
}, async () => {
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env
  const suite = join(projectFolder, 'test/lan/own-registry.ts')
  const args = ['--net', process.execPath, '--test', '--test-reporter=spec', suite]
  succeeded(await run('unshare', args, { environment, timeoutSeconds: 280 }))
})

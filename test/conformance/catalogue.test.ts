import assert from 'node:assert/strict'
import { glob, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'

const source = join(import.meta.dirname, '../../src')

// An import that is not used is the linter's to find, so to be imported is to be in the catalogue.
test('every declared resource type is in the catalogue of its provider', async () => {
  const declarations: string[] = []
  const missing: string[] = []
  for await (const file of glob('providers/**/*.ts', {
    cwd: source,
    exclude: ['**/*.test.ts', '**/*-for-tests.ts'],
  })) {
    const text = await readFile(join(source, file), 'utf8')
    if (!/\bdefineResourceType\(/.test(text)) continue
    declarations.push(file)
    const provider = await readFile(join(source, dirname(file), 'provider.ts'), 'utf8')
    if (!provider.includes(`from './${basename(file)}'`)) missing.push(file)
  }
  assert.notEqual(declarations.length, 0)
  assert.deepEqual(missing, [], 'declared, but not named in provider.ts')
})

test('every provider is wired', async () => {
  const planes = await readFile(join(source, 'installation/create-planes.ts'), 'utf8')
  for await (const file of glob('providers/*/provider.ts', { cwd: source })) {
    assert.ok(planes.includes(`from '../${file}'`), file)
  }
})

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { failed, run, succeeded } from './support/run.ts'
import { projectFolder } from './support/shared-data.ts'

const SCRIPT = join(projectFolder, 'scripts/test-with-sentinel')

describe('the watch over the home folder of whoever runs the suites', () => {
  let temporary: string

  before(() => {
    temporary = mkdtempSync(join(tmpdir(), 'causeway-sentinel-'))
  })
  after(() => rmSync(temporary, { recursive: true }))

  const watch = (command: string) =>
    run(SCRIPT, ['sh', '-c', command], { environment: { ...process.env, TMPDIR: temporary } })

  test('lets a command pass that reads there, and keeps its own files elsewhere', async () => {
    const finished = await watch(
      'cat ~/.azure/azureProfile.json ~/.docker/config.json && echo own > "$TMPDIR/own" && echo own > ~/.cache/causeway/own',
    )
    assert.match(succeeded(finished), /The real one.*myregistry\.azurecr\.io/s)
  })

  for (const [what, command, path] of [
    ['writes to a file', 'echo >> ~/.docker/config.json', '.docker/config.json'],
    ['writes the same bytes again', 'touch ~/.azure/azureProfile.json', '.azure/azureProfile.json'],
    [
      'changes bytes and keeps the time',
      'touch -r ~/.azure/config ~/t; sed -i s/Azure/azure/ ~/.azure/config; touch -r ~/t ~/.azure/config; rm ~/t',
      '.azure/config',
    ],
    ['changes rights', 'chmod 644 ~/.config/containers/auth.json', '.config/containers/auth.json'],
    ['makes a file', 'echo > ~/.local/share/containers/new', '.local/share/containers/new'],
    ['makes a folder in the home', 'mkdir ~/.oci', './.oci'],
    ['removes a file', 'rm ~/.local/share/causeway/causeway.db', '.local/share/causeway/causeway'],
    ['makes a file and takes it back', 'touch ~/.azure/t; rm ~/.azure/t', './.azure -> '],
    ['makes a link', 'ln -s nowhere ~/.cache/link', './.cache/link -> nowhere'],
  ] as const) {
    test(`1: fails a command that ${what}, and names it`, async () => {
      const finished = await watch(command)
      assert.equal(finished.code, 1)
      assert.ok(failed(finished).includes(path), finished.stderr)
    })
  }

  test('passes the exit code of a command on', async () => {
    assert.equal((await watch('exit 3')).code, 3)
    assert.equal((await watch('touch ~/.bashrc; exit 4')).code, 4)
  })

  test('leaves nothing behind', () => {
    assert.deepEqual(readdirSync(temporary), ['own'])
  })
})

import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { projectFolder } from './support/shared-data.ts'
import { openTerminal } from './support/terminal.ts'

const START_FILES = {
  '.bashrc': `PS1='mine> '; own() { echo "started by me"; }`,
  '.zshenv': `own_environment='of mine'`,
  '.zshrc': `PROMPT='mine> '; own() { echo "started by me, $own_environment, \${ZDOTDIR-nowhere}"; }`,
  'fish/config.fish': `function fish_prompt; echo -n 'mine> '; end; function own; echo "started by me"; end`,
}

describe('causeway shell', { ...needs('places', 'ip', 'zsh', 'fish'), timeout: 120_000 }, () => {
  let causeway: Causeway
  let home: string

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'causeway-home-'))
    await mkdir(join(home, 'fish'))
    await mkdir(join(home, 'tmp'))
    for (const [file, text] of Object.entries(START_FILES)) {
      await writeFile(join(home, file), `${text}\n`)
    }
    causeway = await startCauseway()
  })
  after(async () => {
    await causeway?.remove()
    await rm(home, { recursive: true, force: true, maxRetries: 20 })
  })

  for (const [shell, answer] of [
    ['bash', 'started by me'],
    ['zsh', 'started by me, of mine, nowhere'],
    ['fish', 'started by me'],
  ] as const) {
    test(`${shell} keeps its own prompt and start files, after the name of the place`, async () => {
      const terminal = openTerminal(`${join(projectFolder, 'bin/causeway')} shell --internet`, {
        ...process.env,
        HOME: home,
        XDG_CONFIG_HOME: home,
        TMPDIR: join(home, 'tmp'),
        SHELL: `/usr/bin/${shell}`,
        TERM: 'dumb',
        CAUSEWAY_DATA: causeway.dataFolder,
      })
      try {
        // Any address: that of the shell before may not be free again yet.
        const prompt = async () => {
          await terminal.shows('(internet 203.0.113.')
          await terminal.shows(') mine> ')
        }
        await prompt()
        terminal.type('own\n')
        await terminal.shows(answer)
        await prompt()
        terminal.type('exit 7\n')
        assert.equal(await terminal.ended(), 7)
      } finally {
        await terminal.close()
      }
      const left = await readdir(join(home, 'tmp'))
      assert.deepEqual(
        left.filter((name) => name.startsWith('tmp.')),
        [],
      )
    })
  }
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway } from './support/causeway.ts'
import { needs } from './support/needs.ts'
import { makeGroup, makeNetwork } from './support/private-registry.ts'
import { succeeded } from './support/run.ts'
import { projectFolder } from './support/shared-data.ts'
import { openTerminal } from './support/terminal.ts'

const SHELLS = {
  bash: {
    command: 'bash --norc --noprofile -i',
    // The words that were completed are shown instead of executed.
    setUp: `PS1='ready> '; bind 'set bell-style none'; eval "$(command causeway completion bash)"
causeway() { if [ "$1" = __complete ]; then command causeway "$@"; else printf '<%s>' "$@"; echo; fi; }`,
  },
  zsh: {
    command: 'zsh -f -i',
    setUp: `PS1='ready> '; unsetopt zle_bracketed_paste beep prompt_sp; autoload -Uz compinit; compinit -u -D; eval "$(command causeway completion zsh)"
causeway() { if [ "$1" = __complete ]; then command causeway "$@"; else printf '<%s>' "$@"; echo; fi; }`,
  },
  fish: {
    command: 'fish --no-config --private --interactive',
    setUp: `function fish_prompt; echo 'ready> '; end; command causeway completion fish | source
function causeway; if test "$argv[1]" = __complete; command causeway $argv; else; printf '<%s>' $argv; echo; end; end`,
  },
} as const

const LINES = [
  ['causeway stat\t', '<status>'],
  ['causeway principal sh\tmai\t', '<principal><show><maintainer>'],
  ['causeway exec --vn\tbuil\t --sub\tapp\t', '<exec><--vnet><buildings><--subnet><apps>'],
  ['causeway shell --vnet=buil\t --internet', '<shell><--vnet=buildings><--internet>'],
  ['causeway exec --internet -- geten\t', '<exec><--internet><--><getent>'],
  ['causeway backup /etc/nsswit\t', '<backup></etc/nsswitch.conf>'],
] as const

describe('completion', { ...needs('places', 'ip', 'zsh', 'fish'), timeout: 180_000 }, () => {
  let causeway: Causeway
  let home: string

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'causeway-home-'))
    causeway = await startCauseway()
    const arm = await createArmClient(causeway)
    await makeNetwork(arm, await makeGroup(arm, 'completed'), 'buildings')
    succeeded(await causeway.command(['principal', 'create', 'maintainer']))
  })
  after(async () => {
    await causeway?.remove()
    await rm(home, { recursive: true, force: true })
  })

  for (const [name, shell] of Object.entries(SHELLS)) {
    test(`${name} completes commands, options, networks, subnets and principals`, async () => {
      const terminal = openTerminal(shell.command, {
        ...process.env,
        HOME: home,
        XDG_CONFIG_HOME: home,
        TERM: 'dumb',
        PATH: `${join(projectFolder, 'bin')}:${process.env.PATH}`,
        CAUSEWAY_DATA: causeway.dataFolder,
      })
      try {
        terminal.type(`${shell.setUp}\necho set''up\n`)
        await terminal.shows('setup')
        for (const [typed, expected] of LINES) {
          terminal.type(`${typed}\n`)
          await terminal.shows(expected)
        }
      } finally {
        await terminal.close()
      }
    })
  }
})

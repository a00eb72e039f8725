import { basename } from 'node:path'

/** Becomes the user's own .zshenv, and marks the prompt last, whatever sets it; nothing of it stays on the disk. */
const ZSHENV = `
rm -r "$ZDOTDIR"
if (( $+CAUSEWAY_ZDOTDIR )); then ZDOTDIR=$CAUSEWAY_ZDOTDIR; else unset ZDOTDIR; fi
unset CAUSEWAY_ZDOTDIR
causeway_mark_prompt() { [[ $PROMPT == *"$CAUSEWAY_MARK"* ]] || PROMPT=$CAUSEWAY_MARK$PROMPT }
precmd_functions+=(causeway_mark_prompt)
[[ -r \${ZDOTDIR:-$HOME}/.zshenv ]] && . "\${ZDOTDIR:-$HOME}/.zshenv"
:
`

// zsh takes its start files from a folder and from nowhere else: it is made by whoever runs the shell.
const START_ZSH = `
[ -z "\${ZDOTDIR+set}" ] || export CAUSEWAY_ZDOTDIR="$ZDOTDIR"
ZDOTDIR=$(mktemp -d) && printf %s "$2" >"$ZDOTDIR/.zshenv" || exit
export ZDOTDIR
exec "$1" -i
`

const FISH = `
functions --copy fish_prompt causeway_own_prompt
function fish_prompt
  printf %s $CAUSEWAY_MARK
  causeway_own_prompt
end
`

/** How a shell is started so that its own prompt comes after the mark; bash has a start file for that. */
export function markedShell(
  program: string,
  mark: string,
): { readonly command: readonly string[]; readonly environment: Readonly<Record<string, string>> } {
  const environment = { CAUSEWAY_MARK: mark }
  switch (basename(program)) {
    case 'zsh':
      return { command: ['sh', '-c', START_ZSH, 'causeway', program, ZSHENV], environment }
    case 'fish':
      return { command: [program, '--init-command', FISH], environment }
    default:
      return { command: [program], environment: { PS1: `${mark}$ ` } }
  }
}

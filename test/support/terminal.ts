import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Runs a command, in a shell's words, at a terminal of its own. */
export function openTerminal(command: string, env: NodeJS.ProcessEnv) {
  const child = spawn(
    'script',
    ['--quiet', '--flush', '--return', '--command', command, '/dev/null'],
    { env },
  )
  const ended = once(child, 'exit')
  let shown = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
  })
  return {
    type: (text: string) => void child.stdin.write(text),
    /** Waits for a text on the screen; all that was before it is forgotten. */
    async shows(text: string) {
      const deadline = AbortSignal.timeout(20_000)
      while (!shown.includes(text)) {
        await once(child.stdout, 'data', { signal: deadline }).catch(() => {
          assert.fail(`'${text}' did not appear in:\n${shown}`)
        })
      }
      shown = shown.slice(shown.indexOf(text) + text.length)
    },
    /** The command's exit code. */
    async ended(): Promise<number> {
      const [code] = await ended
      return code
    },
    async close() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

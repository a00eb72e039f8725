import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'

/** A program that has ended. `code` is 128 + n after signal n, as in a shell. */
export interface Finished {
  readonly command: string
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly input?: string
  /** Replaces the whole environment. */
  readonly environment?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly timeoutSeconds?: number
}

const SIGNALS: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

/** Runs a program to its end and collects what it printed. @throws when it cannot start or takes too long. */
export function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const shown = [command, ...args].join(' ')
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.environment && { env: options.environment }),
    ...(options.cwd && { cwd: options.cwd }),
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  // A program that never reads its input closes the pipe early; that is its right.
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  return new Promise((resolve, reject) => {
    const seconds = options.timeoutSeconds ?? 120
    const timer = setTimeout(() => {
      child.kill('SIGTERM')
      reject(new Error(`'${shown}' took longer than ${seconds} s\n${stdout}\n${stderr}`))
    }, seconds * 1000)
    child.once('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      const ended = code ?? 128 + (SIGNALS[signal ?? ''] ?? 0)
      resolve({ command: shown, code: ended, stdout, stderr })
    })
  })
}

/** The output of a program that must have succeeded. */
export function succeeded(finished: Finished): string {
  assert.equal(
    finished.code,
    0,
    `'${finished.command}' ended with ${finished.code}\n${finished.stdout}\n${finished.stderr}`,
  )
  return finished.stdout
}

/** Everything that a program which must have failed has printed. */
export function failed(finished: Finished): string {
  const output = `${finished.stdout}\n${finished.stderr}`
  assert.notEqual(finished.code, 0, `'${finished.command}' should have failed\n${output}`)
  return output
}

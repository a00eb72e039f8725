import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

/** Privileged commands get this and nothing of the caller's environment. */
export const COMMAND_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
}

const COMMAND_TIMEOUT_MS = 20_000

export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
  constructor(command: readonly string[], reason: string) {
    // A script among the arguments would bury the reason.
    super(`${command.filter((word) => word.length <= 64).join(' ')}: ${reason}`)
  }
}

/**
 * Runs a short command to its end and returns what it wrote to its standard output.
 *
 * @throws CommandFailed with its complaint when it cannot be started, ends with another code than 0, or takes 20 s.
 */
export async function runCommand(
  file: string,
  args: readonly string[],
  input = '',
): Promise<string> {
  const child = spawn(file, [...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...COMMAND_ENVIRONMENT },
    timeout: COMMAND_TIMEOUT_MS,
    killSignal: 'SIGKILL',
  })
  // A command that ends without reading its input is judged by its exit code.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => {
      resolve(code === 0 ? '' : signal ? `ended by ${signal}` : `ended with code ${code}`)
    })
  })
  const [output, complaint, failure] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended,
  ])
  if (failure) throw new CommandFailed([file, ...args], complaint.trim() || failure)
  return output
}

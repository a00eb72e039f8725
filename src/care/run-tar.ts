import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

// "Some files differ": packing, it met one that changed or went away.
const CHANGED_MEANWHILE = 1

/** Runs the system's `tar` and returns what it printed. @throws Error with what it complained of. */
export async function runTar(
  args: readonly string[],
  options: { readonly mayChangeMeanwhile?: boolean } = {},
): Promise<string> {
  const child = spawn('tar', [...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [printed, complaint, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ])
  const isDone = code === 0 || (options.mayChangeMeanwhile && code === CHANGED_MEANWHILE)
  if (!isDone) throw new Error(complaint.trim() || `tar ended with ${code}`)
  return printed
}

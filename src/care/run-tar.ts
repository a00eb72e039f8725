import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** Runs the system's `tar` and returns what it printed. @throws Error with what it complained of. */
export async function runTar(...args: readonly string[]): Promise<string> {
  const child = spawn('tar', [...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [printed, complaint, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ])
  if (code !== 0) throw new Error(complaint.trim() || `tar ended with ${code}`)
  return printed
}

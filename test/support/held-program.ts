import { spawn } from 'node:child_process'
import type { Causeway, PlaceOptions, Where } from './causeway.ts'

/** A program in a place that waits for the end of its input. */
export interface HeldProgram {
  /** What it has printed first. */
  readonly told: string
  /** Ends its input, and waits for its own end. */
  end(): Promise<void>
}

/** Starts a program and waits until it has printed something. */
export async function holdProgram(
  causeway: Causeway,
  where: Where,
  command: readonly string[],
  options: PlaceOptions = {},
): Promise<HeldProgram> {
  const [file, ...args] = causeway.placeArguments(where, command, options)
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: options.cwd,
    env: options.environment,
  })
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const told = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (text) => resolve(String(text).trim()))
    child.once('error', reject)
    child.once('close', (code) => reject(new Error(`the program has ended with ${code}`)))
  })
  return {
    told,
    end() {
      child.stdin.end()
      return closed
    },
  }
}

import { readFile } from 'node:fs/promises'
import { stdout } from 'node:process'

/** Prints the script by which a shell completes `causeway`; the shell is one of those that have a script here. */
export async function completion(shell: string): Promise<number> {
  stdout.write(await readFile(new URL(`completion.${shell}`, import.meta.url), 'utf8'))
  return 0
}

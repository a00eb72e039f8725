import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { COMMAND_ENVIRONMENT } from '../places/run-command.ts'

export interface Account {
  readonly name: string
  readonly home: string
  readonly shell: string
}

/** The user's entry where the machine keeps users, which need not be a file; undefined for a number without one. */
export async function accountOf(uid: number): Promise<Account | undefined> {
  try {
    const { stdout } = await promisify(execFile)('getent', ['passwd', String(uid)], {
      env: { ...COMMAND_ENVIRONMENT },
    })
    const [name = '', , , , , home = '', shell = ''] = stdout.trimEnd().split(':')
    return { name, home: home || '/', shell: shell || '/bin/sh' }
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

// 2 is how getent says that there is no such entry.
const isNotFound = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 2

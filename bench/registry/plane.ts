import { spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { hexOf } from '../../src/lib/digest.ts'
import { descendantsOf } from '../process-figures.ts'
import { startClient } from './client.ts'
import type { PlaneSaid } from './plane-program.ts'
import type { Started } from './target.ts'

const PROGRAM = fileURLToPath(new URL('plane-program.ts', import.meta.url))
const OPTIONS = ['../../bin/node-options', '../../bin/server-options']

export interface Plane extends PlaneSaid {
  processes(): Promise<readonly number[]>
  end(): Promise<void>
}

/** Starts the registry plane in a process of its own, as the program is started, with these options of Node's as well. */
export async function startPlane(more: readonly string[] = []): Promise<Plane> {
  const files = await Promise.all(
    OPTIONS.map((file) => readFile(new URL(file, import.meta.url), 'utf8')),
  )
  const options = files.flatMap((text) => text.split('\n')).filter((line) => /^-/.test(line))
  const child = spawn(execPath, [...options, ...more, PROGRAM], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const [line] = await Promise.race([
    createInterface({ input: child.stdout })
      [Symbol.asyncIterator]()
      .next()
      .then(({ value }) => [String(value)]),
    ended.then(() => ['']),
  ])
  if (!line) throw new Error('the registry plane has ended')
  return {
    ...(JSON.parse(line) as PlaneSaid),
    processes: () => descendantsOf(child.pid ?? 0),
    async end() {
      child.stdin.end()
      await ended
    },
  }
}

export async function startPlainCauseway(flags: readonly string[]): Promise<Started> {
  const plane = await startPlane(flags)
  const { address, credentials, folder } = plane
  const client = startClient({ origin: `http://${address}`, credentials })
  const target = {
    name: 'causeway-plain' as const,
    client,
    processes: plane.processes,
    drop: (digest: string) => dropBlob(join(folder, 'content'), digest),
  }
  return {
    targets: [target],
    async end() {
      await client.end()
      await plane.end()
    },
  }
}

/** Removes a blob from a folder of blobs. */
export async function dropBlob(folder: string, digest: string): Promise<void> {
  const hex = hexOf(digest as `sha256:${string}`)
  await rm(join(folder, 'blobs/sha256', hex.slice(0, 2), hex), { force: true })
}

import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { Access, Outcome } from '../job.ts'

/** GET requests by wrk, which costs the machine least. @throws where an answer is no success */
export async function wrkLoad(
  access: Access,
  path: string,
  headers: Readonly<Record<string, string>>,
  options: { readonly concurrency: number; readonly seconds: number; readonly script: string },
): Promise<Outcome> {
  const { host } = new URL(access.origin)
  const set = Object.entries({ Host: host, ...headers }).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  )
  const report = `
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("\\nRESULT %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end`
  await writeFile(options.script, `${set.join('\n')}\n${report}\n`)
  const { concurrency, seconds } = options
  const flags = ['-t', Math.min(concurrency, 2), '-c', concurrency, '-d', `${seconds}s`]
  const url = `${access.origin}${path}`
  const printed = await output('wrk', [...flags.map(String), '-s', options.script, url])
  const result = /^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(printed)
  const [requests = 0, us = 0, p50 = 0, p99 = 0, errors = 0] = (result ?? []).slice(1).map(Number)
  if (!result || errors > 0 || requests === 0) throw new Error(`wrk ${url}: ${printed}`)
  return { units: requests, seconds: us / 1e6, p50: p50 / 1000, p99: p99 / 1000 }
}

/** One GET by curl that follows redirects, as pulls do. Returns the bytes received. */
export async function curlDownload(
  { origin }: Access,
  path: string,
  authorization: string | undefined,
): Promise<number> {
  const printed = await output('curl', [
    ...['-sS', '--fail', '--insecure', '--http1.1', '--location', '--output', '/dev/null'],
    ...(authorization === undefined ? [] : ['--header', `Authorization: ${authorization}`]),
    ...['--write-out', '%{size_download}', `${origin}${path}`],
  ])
  return Number(printed)
}

async function output(command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  const [printed, complaints, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended,
  ])
  if (code === 0) return printed
  throw new Error(`${command} ended with ${code}: ${complaints}${printed}`)
}

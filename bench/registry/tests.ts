import type { Job, PushMode } from './job.ts'

/** What is compared with Distribution, and how many times better Causeway means to be. */
export interface Test {
  /** What `--tests` calls it. */
  readonly group: 'manifest' | 'head' | 'get' | 'push' | 'small'
  readonly name: string
  readonly unit: 'req/s' | 'MB/s' | 'img/s'
  readonly job: Job
  readonly goal?: number
  /** Also through the private endpoint, against the public listener of the same registry. */
  readonly byEndpoint?: true
}

export interface TestSizes {
  readonly seconds: number
  /** Of large blobs. */
  readonly bytes: number
  readonly images: number
}

/** How near to the public listener a private endpoint is to be. */
export const ENDPOINT_GOAL = 0.98

/** The goals are ratios to Distribution 2.8 in the same run, since only ratios carry over from one machine to another. */
export function testsOf({ seconds, bytes, images }: TestSizes): readonly Test[] {
  const size = `${Math.round(bytes / 2 ** 20)} MiB`
  const requests = (kind: 'manifests' | 'heads', concurrency: number): Job => ({
    kind,
    concurrency,
    seconds,
  })
  const downloads = (parallel: number, times: number): Job => ({
    kind: 'downloads',
    parallel,
    times,
  })
  const push = (mode: PushMode): Job => ({ kind: 'push', mode, bytes, times: 2 })
  return [
    of('manifest', 'manifest GET by tag, c=1', 'req/s', requests('manifests', 1)),
    {
      ...of('manifest', 'manifest GET by tag, c=16', 'req/s', requests('manifests', 16), 10),
      ...BOTH,
    },
    of('manifest', 'manifest GET by tag, c=64', 'req/s', requests('manifests', 64)),
    { ...of('head', 'blob HEAD, c=16', 'req/s', requests('heads', 16), 13), ...BOTH },
    { ...of('get', `blob GET ${size}, c=1`, 'MB/s', downloads(1, 4), 1.1), ...BOTH },
    { ...of('get', `blob GET ${size}, c=8`, 'MB/s', downloads(8, 1), 1.1), ...BOTH },
    { ...of('push', `push ${size}, monolithic`, 'MB/s', push('monolithic'), 2), ...BOTH },
    of('push', `push ${size}, streamed`, 'MB/s', push('streamed'), 2),
    of('push', `push ${size}, chunks of 8 MiB`, 'MB/s', push('chunked'), 2.5),
    of(
      'small',
      `${images} small images, c=8`,
      'img/s',
      { kind: 'images', count: images, parallel: 8 },
      4,
    ),
  ]
}

const BOTH = { byEndpoint: true } as const

const of = (
  group: Test['group'],
  name: string,
  unit: Test['unit'],
  job: Job,
  goal?: number,
): Test => ({ group, name, unit, job, ...(goal !== undefined && { goal }) })

import { randomBytes, randomFillSync } from 'node:crypto'
import { digestOf } from '../../../src/lib/digest.ts'
import { type Job, type Outcome, percentile } from '../job.ts'
import { headLoad } from './heads.ts'
import { curlDownload, wrkLoad } from './programs.ts'
import { MANIFEST_TYPE, makeImage, PUSHES, pushImage } from './push.ts'
import type { Session } from './session.ts'

const IMAGES = 'bench/images'
const BLOBS = 'bench/blobs'
const PUSHED = 'bench/pushed'
const TAG = 'latest'
const LAYER_BYTES = 10 * 1024
const MEGABYTE = 1e6

type Run = () => Promise<Outcome>

/** Makes ready what is not to be measured, and returns what is. */
export type Prepare = (job: Job) => Promise<Run>

export function createJobs(session: Session, folder: string): Prepare {
  const fixture = { layer: '', blob: '', bytes: 0 }

  async function pushFixture(bytes: number): Promise<void> {
    const image = threeLayers()
    await pushImage(session, IMAGES, TAG, image)
    fixture.layer = image.blobs[0]?.digest ?? ''
    const blob = randomBytes(bytes)
    fixture.blob = digestOf(blob)
    fixture.bytes = bytes
    await PUSHES.monolithic(session, BLOBS, blob, fixture.blob)
  }

  async function download(): Promise<void> {
    const path = `/v2/${BLOBS}/blobs/${fixture.blob}`
    const bytes = await curlDownload(session.access, path, await session.authorization(BLOBS))
    if (bytes !== fixture.bytes) throw new Error(`${bytes} bytes of ${fixture.bytes} have come`)
  }

  async function push({ mode, bytes, times }: Job & { kind: 'push' }): Promise<Run> {
    // Each is new to the registry.
    const blobs = Array.from({ length: times }, () => {
      const blob = Buffer.allocUnsafe(bytes)
      randomFillSync(blob)
      return { blob, digest: digestOf(blob) }
    })
    await session.authorization(PUSHED)
    return timed(async () => {
      for (const { blob, digest } of blobs) await PUSHES[mode](session, PUSHED, blob, digest)
      return { units: (times * bytes) / MEGABYTE, spent: blobs.map(({ digest }) => digest) }
    })
  }

  async function pushImages({ count, parallel }: Job & { kind: 'images' }): Promise<Run> {
    const images = Array.from({ length: count }, threeLayers).entries()
    const workers = Array.from({ length: parallel }, (_, index) => `bench/small${index}`)
    await Promise.all(workers.map((repository) => session.authorization(repository)))
    const stamp = Date.now().toString(36)
    return timed(async () => {
      const times: number[] = []
      const work = async (repository: string) => {
        // All take from one list.
        for (const [index, image] of images) {
          const began = performance.now()
          await pushImage(session, repository, `${stamp}-${index}`, image)
          times.push(performance.now() - began)
        }
      }
      await Promise.all(workers.map(work))
      return { units: count, p50: percentile(times, 0.5), p99: percentile(times, 0.99) }
    })
  }

  return async (job) => {
    switch (job.kind) {
      case 'fixture':
        return timed(async () => {
          await pushFixture(job.bytes)
          return { units: 1 }
        })
      case 'manifests': {
        const authorization = await session.authorization(IMAGES)
        const headers = {
          Accept: MANIFEST_TYPE,
          ...(authorization && { Authorization: authorization }),
        }
        const { concurrency, seconds } = job
        const options = { concurrency, seconds, script: `${folder}/wrk.lua` }
        const path = `/v2/${IMAGES}/manifests/${TAG}`
        return () => wrkLoad(session.access, path, headers, options)
      }
      case 'heads': {
        const path = `/v2/${IMAGES}/blobs/${fixture.layer}`
        const authorization = await session.authorization(IMAGES)
        return () => headLoad(session.access, path, authorization, job)
      }
      case 'downloads':
        return timed(async () => {
          for (let time = 0; time < job.times; time += 1) {
            await Promise.all(Array.from({ length: job.parallel }, download))
          }
          return { units: (job.times * job.parallel * fixture.bytes) / MEGABYTE }
        })
      case 'push':
        return push(job)
      case 'images':
        return pushImages(job)
    }
  }
}

const threeLayers = () => makeImage([1, 2, 3].map(() => randomBytes(LAYER_BYTES)))

const timed =
  (work: () => Promise<Omit<Outcome, 'seconds'>>): Run =>
  async () => {
    const began = performance.now()
    const done = await work()
    return { ...done, seconds: (performance.now() - began) / 1000 }
  }

import type { BlobUpload } from '../../storage/blob-store.ts'
import type { Arrived } from './upstream.ts'

/** Blobs whose bytes come in, and who waits for them. */
export interface Arrivals {
  /** The caller says with each piece, and at the end, that there may be more. */
  begin(upload: BlobUpload, size: number): { progressed(): void; end(): void }
  arrived(id: string, position: number): Promise<Arrived>
}

interface Arrival {
  readonly available: () => number
  readonly waiting: Set<{ readonly position: number; readonly wake: () => void }>
}

const ENDED: Arrived = { state: 'ended', available: 0 }

export function createArrivals(): Arrivals {
  const arriving = new Map<string, Arrival>()

  function wake({ available, waiting }: Arrival, isDue: (position: number) => boolean): void {
    // Of most pieces nobody has to be told.
    if (waiting.size === 0 || available() === 0) return
    for (const each of waiting) {
      if (!isDue(each.position)) continue
      waiting.delete(each)
      each.wake()
    }
  }

  return {
    begin(upload, size) {
      // A client that has all bytes takes them for proven.
      const available = () => Math.min(upload.received, size - 1)
      const arrival: Arrival = { available, waiting: new Set() }
      arriving.set(upload.id, arrival)
      return {
        progressed: () => wake(arrival, (position) => available() > position),
        end() {
          arriving.delete(upload.id)
          for (const each of arrival.waiting) each.wake()
        },
      }
    },

    async arrived(id, position) {
      const arrival = arriving.get(id)
      if (!arrival) return ENDED
      if (arrival.available() <= position) {
        await new Promise<void>((resolve) => {
          arrival.waiting.add({ position, wake: resolve })
        })
      }
      return arriving.has(id) ? { state: 'arriving', available: arrival.available() } : ENDED
    },
  }
}

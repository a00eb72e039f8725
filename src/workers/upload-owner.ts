import { randomUUID } from 'node:crypto'
import { decodePath, parseOciPath } from '../registry/http/oci-path.ts'
import type { WorkerPlace } from './worker-contract.ts'

/** The slot that an upload belongs to. Of its id and of nothing else, so that it stays when workers are replaced. */
export const ownerOf = (uploadId: string, slots: number): number =>
  Number.parseInt(uploadId.slice(0, 8), 16) % slots || 0

/** A new upload's id that belongs to this slot. */
export function newUploadIdIn({ slot, slots }: WorkerPlace): string {
  for (;;) {
    const id = randomUUID()
    if (ownerOf(id, slots) === slot) return id
  }
}

/** The id of the upload that a request goes on with; undefined for every other request. */
export function uploadIdOf(url: string): string | undefined {
  // Nearly every request is none: those need not be taken apart for that.
  if (!url.includes('uploads') && !url.includes('%')) return undefined
  try {
    const path = parseOciPath(decodePath(url.split('?')[0] ?? ''))
    return path?.kind === 'upload' ? path.id : undefined
  } catch {
    // What is wrong with it, whoever serves it says.
    return undefined
  }
}

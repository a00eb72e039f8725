import type { Digest } from '../../lib/digest.ts'
import type { BytesReader } from '../../storage/blob-store.ts'
import { HOME } from '../replicas/home.ts'
import type { OpenedBlob, RegionStores } from '../replicas/region-stores.ts'
import type { Mender } from './create-mender.ts'

interface Ports {
  readonly stores: Pick<RegionStores, 'open'>
  readonly mend: Mender['mend']
}

interface SoughtBlob {
  /** That of replicas, or `home`. */
  readonly region: string
  readonly digest: Digest
  readonly size: number
}

/** A blob that is read where it is whole. */
export interface LastingReader extends BytesReader {
  /** Where its first bytes come from. */
  readonly from: string
}

/**
 * Reads a blob as a region has it. Where that cannot be read, or ends early, it is mended, and reading goes on at the same
 * byte with what is whole then. Undefined where no region has it. The caller closes the reader.
 */
export async function openLasting(
  ports: Ports,
  blob: SoughtBlob,
): Promise<LastingReader | undefined> {
  const { region, digest, size } = blob
  // What a region lacks is the home's to give out: it is the home that lacks it, or cannot be read.
  const opened = await ports.stores.open(region, digest).catch((error: unknown) => ({ error }))
  const isOpen = opened !== undefined && 'reader' in opened
  const first = isOpen ? opened : await openMended(ports, HOME, digest)
  if (!first) {
    if (opened && !isOpen) throw opened.error
    return undefined
  }
  let current: OpenedBlob = first
  // Once: what is whole and cannot be read either is nothing that mending helps.
  let isMended = !isOpen

  return {
    from: first.from,
    async read(buffer, position) {
      const { reader, from } = current
      const read = await reader.read(buffer, position).catch((error: unknown) => ({ error }))
      const isFine = typeof read === 'number' && (read > 0 || position >= size)
      if (!isFine && !isMended) {
        isMended = true
        const whole = await openMended(ports, from, digest)
        if (whole) {
          current = whole
          await reader.close()
          return whole.reader.read(buffer, position)
        }
      }
      if (typeof read === 'number') return read
      throw read.error
    },
    close: () => current.reader.close(),
  }
}

async function openMended({ stores, mend }: Ports, damaged: string, digest: Digest) {
  const whole = await mend(damaged, digest)
  return whole === undefined ? undefined : stores.open(whole, digest)
}

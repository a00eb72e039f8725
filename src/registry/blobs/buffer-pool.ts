export interface BufferPool {
  take(): Buffer
  give(buffer: Buffer): void
}

/** Buffers of one size that are used again; beyond `kept` they are left to the garbage collector. */
export function createBufferPool(bytes: number, kept: number): BufferPool {
  const free: Buffer[] = []
  return {
    take: () => free.pop() ?? Buffer.allocUnsafeSlow(bytes),
    give(buffer) {
      if (free.length < kept) free.push(buffer)
    },
  }
}

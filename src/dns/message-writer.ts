const MESSAGE_BYTES_MAX = 65535
const POINTER_MAX = 0x3fff

/** Grows a DNS message from left to right and compresses its names. Throws RangeError beyond 65535 bytes. */
export class MessageWriter {
  readonly #buffer = Buffer.allocUnsafe(MESSAGE_BYTES_MAX)
  /** Where a name was written. In its exact case: a pointer must not change how a later name is spelt. */
  readonly #offsets = new Map<string, number>()
  length = 0

  bytes(bytes: Uint8Array | readonly number[]): void {
    if (this.length + bytes.length > MESSAGE_BYTES_MAX) throw new RangeError('a message too long')
    this.#buffer.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Returns where it was written. */
  u16(value: number): number {
    const at = this.length
    this.length = this.#buffer.writeUInt16BE(value, at)
    return at
  }

  u32(value: number): void {
    this.length = this.#buffer.writeUInt32BE(value, this.length)
  }

  patchU16(at: number, value: number): void {
    this.#buffer.writeUInt16BE(value, at)
  }

  /** Writes the question section as it was sent; later names may point into it. Called right after the header. */
  question(rawQuestion: Buffer): void {
    const start = this.length
    this.bytes(rawQuestion)
    const labels: { readonly at: number; readonly text: string }[] = []
    for (let at = 0; rawQuestion[at]; at += 1 + (rawQuestion[at] ?? 0)) {
      const text = rawQuestion.toString('latin1', at + 1, at + 1 + (rawQuestion[at] ?? 0))
      labels.push({ at: start + at, text: text.replace(/[.\\]/g, '\\$&') })
    }
    for (const [index, { at }] of labels.entries()) {
      const suffix = labels.slice(index).map((label) => label.text)
      this.#offsets.set(suffix.join('.'), at)
    }
  }

  name(name: string): void {
    const labels = labelsOf(name)
    for (const [index, label] of labels.entries()) {
      const suffix = labels.slice(index).join('.')
      const known = this.#offsets.get(suffix)
      if (known !== undefined) {
        this.u16(0xc000 | known)
        return
      }
      if (this.length <= POINTER_MAX) this.#offsets.set(suffix, this.length)
      this.#label(label)
    }
    this.bytes([0])
  }

  plainName(name: string): void {
    for (const label of labelsOf(name)) this.#label(label)
    this.bytes([0])
  }

  #label(label: string): void {
    const bytes = Buffer.from(label.replace(/\\(.)/gs, '$1'), 'latin1')
    this.bytes([bytes.length, ...bytes])
  }

  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.length))
  }
}

/** Labels keep their escapes: `\.` is a dot within a label. */
function labelsOf(name: string): readonly string[] {
  const text = name.endsWith('.') && !name.endsWith('\\.') ? name.slice(0, -1) : name
  return text === '' ? [] : (text.match(/(?:[^.\\]|\\.)+/gs) ?? [])
}

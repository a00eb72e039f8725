/** Programs that print one text and end, as static ELF files: what runs in the sample image, without any toolchain. */

const HEADER_BYTES = 64
const PROGRAM_HEADER_BYTES = 56
const CODE_OFFSET = HEADER_BYTES + PROGRAM_HEADER_BYTES
const BASE_ADDRESS = 0x400000
/** Larger than any page size that Linux has on arm64. */
const ALIGNMENT = 0x10000

export type Architecture = 'amd64' | 'arm64'

/** https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html */
const MACHINES: Readonly<Record<Architecture, number>> = { amd64: 62, arm64: 183 }

/** A program that writes `text` to standard output and exits with 0. */
export function buildPrinter(architecture: Architecture, text: string): Buffer {
  const message = Buffer.from(text)
  const codeFor = architecture === 'amd64' ? codeForAmd64 : codeForArm64
  // The code's length does not depend on its operands.
  const messageOffset = CODE_OFFSET + codeFor(0, 0).length
  const code = codeFor(BASE_ADDRESS + messageOffset, message.length)
  const body = Buffer.concat([code, message])
  return Buffer.concat([headers(MACHINES[architecture], CODE_OFFSET + body.length), body])
}

function headers(machine: number, fileBytes: number): Buffer {
  const bytes = Buffer.alloc(CODE_OFFSET)
  // 64 bits, little-endian, version 1, System V.
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]).copy(bytes)
  bytes.writeUInt16LE(2, 16) // an executable
  bytes.writeUInt16LE(machine, 18)
  bytes.writeUInt32LE(1, 20)
  bytes.writeBigUInt64LE(BigInt(BASE_ADDRESS + CODE_OFFSET), 24) // entry
  bytes.writeBigUInt64LE(BigInt(HEADER_BYTES), 32) // program headers
  bytes.writeUInt16LE(HEADER_BYTES, 52)
  bytes.writeUInt16LE(PROGRAM_HEADER_BYTES, 54)
  bytes.writeUInt16LE(1, 56)

  const segment = bytes.subarray(HEADER_BYTES)
  segment.writeUInt32LE(1, 0) // to be loaded
  segment.writeUInt32LE(5, 4) // readable and executable
  segment.writeBigUInt64LE(0n, 8)
  segment.writeBigUInt64LE(BigInt(BASE_ADDRESS), 16)
  segment.writeBigUInt64LE(BigInt(BASE_ADDRESS), 24)
  segment.writeBigUInt64LE(BigInt(fileBytes), 32)
  segment.writeBigUInt64LE(BigInt(fileBytes), 40)
  segment.writeBigUInt64LE(BigInt(ALIGNMENT), 48)
  return bytes
}

/** write(1, address, length); exit(0), by the numbers of the x86-64 system call table. */
function codeForAmd64(address: number, length: number): Buffer {
  const load = (opcode: number, value: number) => {
    const bytes = Buffer.alloc(5)
    bytes.writeUInt8(opcode, 0)
    bytes.writeUInt32LE(value, 1)
    return bytes
  }
  const systemCall = Buffer.from([0x0f, 0x05])
  return Buffer.concat([
    load(0xb8, 1), // mov eax, write
    load(0xbf, 1), // mov edi, 1
    load(0xbe, address), // mov esi, address
    load(0xba, length), // mov edx, length
    systemCall,
    load(0xb8, 60), // mov eax, exit
    load(0xbf, 0), // mov edi, 0
    systemCall,
  ])
}

/** The same by the generic system call table, which arm64 uses. */
function codeForArm64(address: number, length: number): Buffer {
  // movz/movk x<register>, #<value>[, lsl 16]
  const movz = (register: number, value: number) => 0xd2800000 + value * 0x20 + register
  const movkHigh = (register: number, value: number) => 0xf2a00000 + value * 0x20 + register
  const systemCall = 0xd4000001
  const instructions = [
    movz(0, 1),
    movz(1, address & 0xffff),
    movkHigh(1, address >>> 16),
    movz(2, length),
    movz(8, 64), // write
    systemCall,
    movz(0, 0),
    movz(8, 93), // exit
    systemCall,
  ]
  const bytes = Buffer.alloc(instructions.length * 4)
  for (const [index, instruction] of instructions.entries()) {
    bytes.writeUInt32LE(instruction, index * 4)
  }
  return bytes
}

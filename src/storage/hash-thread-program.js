// The thread of hash-thread.ts. Plain JavaScript: what takes types off would double its memory and its time to start.
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'

/**
 * @typedef {object} Known
 * @property {number} id
 * @property {string} file
 * @property {import('node:crypto').Hash} hash
 * @property {number} position
 * @property {number} end
 * @property {boolean} isWanted
 */

/** Of one file, before it is the next one's turn. */
const TURN_BYTES = 1 << 20
// What is read is hashed while it is still in the processor's cache.
const buffer = Buffer.allocUnsafe(1 << 17)

/** By the number of the hash: how far it is, and how far the file goes. @type {Map<number, Known>} */
const hashes = new Map()
/** @type {Set<Known>} */
const due = new Set()

parentPort?.on('message', ({ id, isDropped, file, algorithm, end, isWanted }) => {
  const begun = hashes.get(id)
  if (isDropped) {
    if (begun) due.delete(begun)
    hashes.delete(id)
    return
  }
  const hash = begun?.hash ?? createHash(algorithm)
  const known = Object.assign(begun ?? { id, file, hash, position: 0 }, { end, isWanted })
  hashes.set(id, known)
  if (due.size === 0) setImmediate(takeTurns)
  due.add(known)
})

function takeTurns() {
  for (const each of due) {
    try {
      takeTurn(each)
    } catch (error) {
      end(each, { failure: error instanceof Error ? error.message : String(error) })
      // Whoever asks again begins anew.
      hashes.delete(each.id)
    }
  }
  if (due.size > 0) setImmediate(takeTurns)
}

/** @param {Known} each */
function takeTurn(each) {
  read(each, Math.min(each.end, each.position + TURN_BYTES))
  if (each.position < each.end) return
  end(each, each.isWanted ? { hex: each.hash.copy().digest('hex') } : {})
}

/**
 * @param {Known} each
 * @param {number} until
 */
function read(each, until) {
  const descriptor = openSync(each.file, 'r')
  try {
    while (each.position < until) {
      const wanted = Math.min(buffer.length, until - each.position)
      const bytes = readSync(descriptor, buffer, 0, wanted, each.position)
      if (bytes === 0) throw new Error(`${each.file} is shorter than it was`)
      each.hash.update(buffer.subarray(0, bytes))
      each.position += bytes
    }
  } finally {
    closeSync(descriptor)
  }
}

/**
 * @param {Known} each
 * @param {{ readonly hex?: string, readonly failure?: string }} answer
 */
function end(each, answer) {
  due.delete(each)
  if (each.isWanted) parentPort?.postMessage({ id: each.id, ...answer })
  each.isWanted = false
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClientGate } from './client-gate.ts'

function gateAt(start: string) {
  let now = new Date(start)
  const gate = createClientGate({
    allowedClients: ['192.0.2.0/24', '198.51.100.7/32'],
    clock: { now: () => now },
    queriesPerSecondMax: 2,
  })
  return {
    gate,
    later(text: string) {
      now = new Date(text)
    },
  }
}

test('REFUSED: a client of no prefix that is allowed', () => {
  const { gate } = gateAt('2026-01-01T00:00:00Z')
  assert.equal(gate.judge('192.0.2.9'), 'answer')
  assert.equal(gate.judge('198.51.100.7'), 'answer')
  assert.equal(gate.judge('198.51.100.8'), 'refuse')
  assert.equal(gate.isAdmitted('192.0.3.1'), false)
})

test('who asks too often in a second is sent to TCP, and answered in the next one', () => {
  const { gate, later } = gateAt('2026-01-01T00:00:00Z')
  const judged = (address: string) => gate.judge(address)
  assert.deepEqual(['192.0.2.9', '192.0.2.9', '192.0.2.9'].map(judged), [
    'answer',
    'answer',
    'truncate',
  ])
  assert.equal(gate.judge('192.0.2.10'), 'answer', 'somebody else')
  later('2026-01-01T00:00:01Z')
  assert.equal(gate.judge('192.0.2.9'), 'answer')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from './create-metrics.ts'
import { samplesOf } from './samples-for-tests.ts'

const OUTCOME = {
  plane: 'registry',
  operation: 'get_manifest',
  status: 200,
  seconds: 0.004,
  bytesReceived: 100,
  bytesSent: 2000,
}

test('counts requests by plane, operation and class of status, with their time and bytes', async () => {
  const metrics = createMetrics('1.2.3')
  metrics.request(OUTCOME)
  metrics.request({ ...OUTCOME, status: 206 })
  metrics.request({ ...OUTCOME, status: undefined })
  const samples = samplesOf(await metrics.exposition.text())
  const labels = 'plane="registry",operation="get_manifest"'
  const name = 'causeway_http_request_duration_seconds'
  assert.equal(samples.get(`${name}_count{${labels},code="2xx"}`), 2)
  assert.equal(samples.get(`${name}_count{${labels},code="aborted"}`), 1)
  assert.equal(samples.get(`${name}_bucket{${labels},code="2xx",le="0.005"}`), 2)
  assert.equal(samples.get(`${name}_bucket{${labels},code="2xx",le="0.0025"}`), 0)
  assert.equal(samples.get('causeway_http_received_bytes_total{plane="registry"}'), 300)
  assert.equal(samples.get('causeway_http_sent_bytes_total{plane="registry"}'), 6000)
  assert.equal(samples.get('causeway_build_info{version="1.2.3"}'), 1)
})

test('reads gauges and counters when it is asked, and forgets values that are no more', async () => {
  const metrics = createMetrics('1.2.3')
  let places: Record<string, number> = { ready: 2, failed: 1 }
  let served = 5
  metrics.gauge({ name: 'places', help: 'Places.', label: 'state', read: async () => places })
  metrics.counter({ name: 'served_total', help: 'Served.', read: () => served })
  const before = samplesOf(await metrics.exposition.text())
  assert.deepEqual([before.get('places{state="failed"}'), before.get('served_total')], [1, 5])
  places = { ready: 3 }
  served = 7
  const after = samplesOf(await metrics.exposition.text())
  assert.deepEqual(
    [after.get('places{state="ready"}'), after.has('places{state="failed"}')],
    [3, false],
  )
  assert.equal(after.get('served_total'), 7)
})

test('tells of the process under the usual names', async () => {
  const samples = samplesOf(await createMetrics('1.2.3').exposition.text())
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'process_start_time_seconds',
    'process_open_fds',
    'nodejs_heap_size_used_bytes',
    'nodejs_eventloop_active_seconds_total',
  ]) {
    assert.ok((samples.get(name) ?? 0) > 0, name)
  }
})

test('leaves out what cannot be read, and keeps the rest', async () => {
  const metrics = createMetrics('1.2.3')
  metrics.gauge({
    name: 'gone',
    help: 'Gone.',
    read: async () => Promise.reject(new Error('gone')),
  })
  const samples = samplesOf(await metrics.exposition.text())
  assert.equal(samples.has('gone'), false)
  assert.equal(samples.get('causeway_build_info{version="1.2.3"}'), 1)
})

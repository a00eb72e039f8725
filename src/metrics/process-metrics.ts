import { readdir } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import type { Metrics } from '../lib/metrics.ts'

/** This process, under the names that every client library has for it; nothing is measured between two readings. */
export function addProcessMetrics({ gauge, counter }: Pick<Metrics, 'gauge' | 'counter'>): void {
  counter({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time in seconds.',
    read: () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1e6
    },
  })
  gauge({
    name: 'process_start_time_seconds',
    help: 'When the process started, in seconds since the epoch.',
    read: () => performance.timeOrigin / 1000,
  })
  gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory in bytes.',
    read: () => process.memoryUsage.rss(),
  })
  gauge({
    name: 'process_open_fds',
    help: 'Open file descriptors.',
    read: async () => (await readdir('/proc/self/fd')).length,
  })
  gauge({
    name: 'nodejs_heap_size_used_bytes',
    help: 'The used part of the heap in bytes.',
    read: () => process.memoryUsage().heapUsed,
  })
  counter({
    name: 'nodejs_eventloop_active_seconds_total',
    help: 'How long the event loop was not idle, in seconds; its rate is its utilization.',
    read: () => performance.eventLoopUtilization().active / 1000,
  })
}

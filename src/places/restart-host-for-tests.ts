/** Hosts places in a process of its own, so that a test can kill it: `<mark> <folder>`. Says when they are in effect. */
import { join } from 'node:path'
import { pino } from 'pino'
import { createPlaces } from './create-places.ts'
import { createNamespaceDriver } from './namespace-driver.ts'
import { listener, network, tellingListeners } from './places-for-tests.ts'

const [mark = '', folder = ''] = process.argv.slice(2)
const places = createPlaces({
  mark,
  folder: join(folder, 'places'),
  source: {
    list: () => [
      network('one', [listener('first', '10.0.0.7'), listener('gone', '10.0.0.9')]),
      network('gone'),
    ],
  },
  publicAddresses: [],
  listeners: tellingListeners,
  caBundle: '/etc/hosts',
  log: pino({ level: 'silent' }),
  driver: createNamespaceDriver(folder),
})
await places.reconcile()
const running = await places.attach({ place: 'net-one' })
const idle = await places.attach({ place: 'net-one' })
process.send?.({ running, idle })

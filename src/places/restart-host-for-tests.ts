/** Hosts places in a process of its own, so that a test can kill it: `<mark> <folder>`. Says when they are in effect. */
import { pino } from 'pino'
import { createPlaces } from './create-places.ts'
import { listener, network, tellingListeners } from './places-for-tests.ts'

const [mark = '', folder = ''] = process.argv.slice(2)
const places = createPlaces({
  mark,
  folder,
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
})
await places.reconcile()
const running = await places.attach({ place: 'net-one' })
const idle = await places.attach({ place: 'net-one' })
process.send?.({ running, idle })

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planPlaces, type SocketPlan } from './place-plan.ts'
import { listener, network } from './places-for-tests.ts'

const planned = (...networks: ReturnType<typeof network>[]) =>
  planPlaces({ mark: '0a1b2c3d', networks, publicAddresses: ['20.45.122.144'] })

const spoken = (sockets: readonly SocketPlan[] = []) =>
  sockets.map((socket) =>
    socket.kind === 'https'
      ? `${socket.where.via} ${socket.address}:${socket.port}`
      : `${socket.kind} ${socket.address}:${socket.port}`,
  )

test('the internet is always a place', () => {
  const [internet, ...others] = planned()
  assert.deepEqual(others, [])
  assert.equal(internet?.namespace, 'cw-0a1b2c3d-internet')
  assert.deepEqual(internet?.gateways, ['203.0.113.1/24'])
  assert.deepEqual(spoken(internet?.sockets), [
    'dns-udp 168.63.129.16:53',
    'dns-tcp 168.63.129.16:53',
    'metadata 169.254.169.254:80',
    'public 20.45.122.144:443',
  ])
})

test('an interface without a listener has its address and no socket', () => {
  const plan = planned({ ...network('one'), takenAddresses: ['10.0.0.4'] })[1]
  assert.deepEqual(plan?.addresses, [
    '168.63.129.16',
    '169.254.169.254',
    '20.45.122.144',
    '10.0.0.4',
  ])
  assert.equal(plan?.sockets.length, 4)
})

test('inside a network its own addresses come before the same public ones', () => {
  const plan = planned(network('one', [listener('first', '20.45.122.144')], '20.45.122.0/24'))[1]
  assert.deepEqual(spoken(plan?.sockets).slice(3), ['endpoint 20.45.122.144:443'])
})

test('a mark that could name the namespaces of others is refused', () => {
  assert.throws(() => planPlaces({ mark: '', networks: [], publicAddresses: [] }), /no mark/)
})

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { enterCommand, MASKED, type ProgramUser } from './enter.ts'
import { isRoot, network, runAt, testPlaces, withoutPlaces } from './places-for-tests.ts'
import { bundleInPlace } from './trust-store.ts'

const USERS: readonly ProgramUser[] = [
  { as: 'owner' },
  { as: 'root of the place' },
  ...(isRoot ? [{ as: 'user of the machine', uid: 65534, gid: 65534 } as const] : []),
]

describe('a program in a place', { skip: withoutPlaces, timeout: 60_000 }, () => {
  test('sees the resolver, hosts and trust store of the place, and no way out', async (t) => {
    const state = await testPlaces(t)
    state.networks = [{ ...network('one'), dnsServers: ['10.0.0.10', '10.0.0.11'] }]
    await state.places.reconcile()
    const inside = await state.places.attach({ place: 'net-one' })
    const outside = await state.places.attach({ place: 'internet' })
    const read = async (attachment: typeof inside, file: string) =>
      (await runAt(attachment, { command: 'cat', args: [file] })).output
    assert.equal(
      await read(inside, '/etc/resolv.conf'),
      'nameserver 10.0.0.10\nnameserver 10.0.0.11\n',
    )
    assert.equal(await read(outside, '/etc/resolv.conf'), 'nameserver 168.63.129.16\n')
    assert.match(await read(inside, '/etc/hosts'), /^127\.0\.0\.1 localhost\n(.*\n)*10\.0\.0\.254 /)
    assert.match(await read(inside, '/etc/nsswitch.conf'), /^hosts: files dns$/m)
    assert.equal(
      await read(inside, bundleInPlace(inside.files.caBundle)),
      'the trust store of places\n',
    )
    const routes = await runAt(inside, { command: 'ip', args: ['-4', 'route'] })
    assert.match(
      routes.output,
      /^default via 10\.0\.0\.1 dev eth0 \n10\.0\.0\.0\/24 dev eth0 [^\n]*\n$/,
    )
    const far = await runAt(inside, {
      command: 'timeout',
      args: ['3', 'bash', '-c', ': </dev/tcp/192.0.2.1/443'],
    })
    assert.match(far.complaint, /unreachable/)
    const sibling = await runAt(inside, { command: 'ls', args: ['/sys/fs/cgroup'] })
    assert.equal(sibling.code, 0)
  })

  test('passes on arguments, exit codes and signals as they are', async (t) => {
    const state = await testPlaces(t)
    await state.places.reconcile()
    const attachment = await state.places.attach({ place: 'internet' })
    const args = ['-c', 'printf "%s|" "$@"; exit 7', 'sh', '--', 'a b', '$(id)', "it's", '']
    const heard = await runAt(attachment, { command: 'sh', args })
    assert.deepEqual([heard.code, heard.output], [7, "--|a b|$(id)|it's||"])

    const { file, args: entering } = enterCommand(attachment, {
      command: 'sh',
      args: ['-c', 'echo ready; exec sleep 60'],
      user: { as: 'owner' },
    })
    const child = spawn(file, [...entering], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    child.kill('SIGTERM')
    assert.deepEqual(await once(child, 'exit'), [null, 'SIGTERM'])
  })

  test('126, 127: says in a sentence that a program cannot be executed, or is not there', async (t) => {
    const state = await testPlaces(t)
    await state.places.reconcile()
    const attachment = await state.places.attach({ place: 'internet' })
    for (const [command, code, complaint] of [
      ['no such-command', 127, 'causeway: no such-command: not found in the place\n'],
      ['/no/such', 127, 'causeway: /no/such: not found in the place\n'],
      ['', 127, 'causeway: : not found in the place\n'],
      ['/etc/no:such', 127, 'causeway: /etc/no:such: not found in the place\n'],
      ['/etc/passwd', 126, 'causeway: /etc/passwd: not a program that this user may execute\n'],
      ['/etc', 126, 'causeway: /etc: not a program that this user may execute\n'],
    ] as const) {
      for (const user of USERS) {
        const heard = await runAt(attachment, { command, args: ['x'], user })
        assert.deepEqual([heard.code, heard.complaint], [code, complaint])
      }
    }
  })

  test('finds its resolver where the machine has no resolv.conf, and leaves the machine as it is', {
    skip: isRoot ? false : 'only root can pretend to be such a machine',
  }, async (t) => {
    const state = await testPlaces(t)
    await state.places.reconcile()
    const attachment = await state.places.attach({ place: 'internet' })
    const { file, args } = enterCommand(attachment, {
      command: 'cat',
      args: ['/etc/resolv.conf'],
      user: { as: 'owner' },
    })
    const layer = join(state.folder, 'machine')
    await mkdir(layer)
    // A machine like that: /etc in a layer of its own, with a link that leads nowhere.
    const machine = `set -e
      mount -t tmpfs tmpfs "$1"; mkdir "$1/upper" "$1/work"
      mount -t overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" overlay /etc
      rm /etc/resolv.conf; ln -s /run/no-such-folder/resolv.conf /etc/resolv.conf
      shift; "$@"; test -L /etc/resolv.conf`
    const heard = await promisify(execFile)(
      'unshare',
      ['--mount', 'sh', '-c', machine, 'sh', layer, file, ...args],
      { timeout: 20_000 },
    )
    assert.equal(heard.stdout, 'nameserver 168.63.129.16\n')
  })
})

test('no program reaches the resolvers, name caches and Docker daemon of the machine by their sockets', {
  skip: isRoot ? false : 'only root can pretend to be a machine that has them',
  timeout: 60_000,
}, async (t) => {
  const state = await testPlaces(t)
  await state.places.reconcile()
  const attachment = await state.places.attach({ place: 'internet' })
  const socket = join(state.folder, 'socket')
  const listener = createServer((connection) => connection.end()).listen(socket)
  t.after(() => listener.close())
  await once(listener, 'listening')
  await chmod(state.folder, 0o755)
  await chmod(socket, 0o666)
  // A machine with all of them; behind each path somebody listens.
  const machine = `set -e
    socket=$1; mount --bind "$(dirname "$1")" /mnt; mount -t tmpfs tmpfs /run; shift
    until [ "$1" = -- ]; do
      mkdir -p "$(dirname "$1")"; [ -e "$1" ] || : >"$1"
      mount --bind /mnt/socket "$(readlink -f "$1")"; shift
    done
    shift; exec "$@"`
  const connecting = `
    for socket; do
      perl -MSocket -e 'socket(S, PF_UNIX, SOCK_STREAM, 0); print connect(S, sockaddr_un(shift)) ? "open" : $!, "\n"' "$socket"
    done`
  const tryAll = ['-c', connecting, 'sh', ...MASKED]
  const onMachine = async (file: string, args: readonly string[]) => {
    const words = ['--mount', 'sh', '-c', machine, 'sh', socket, ...MASKED, '--', file, ...args]
    const { stdout } = await promisify(execFile)('unshare', words, { timeout: 20_000 })
    return stdout.trim().split('\n')
  }
  assert.deepEqual(
    await onMachine('sh', tryAll),
    MASKED.map(() => 'open'),
  )
  for (const user of USERS) {
    const { file, args } = enterCommand(attachment, { command: 'sh', args: tryAll, user })
    assert.deepEqual(
      await onMachine(file, args),
      MASKED.map(() => 'Connection refused'),
    )
  }
})

test('a program that root starts runs as the user it is told, without privileges, in the folder it is told', {
  skip: isRoot ? false : 'only root may run programs as others',
}, async (t) => {
  const state = await testPlaces(t)
  await state.places.reconcile()
  const attachment = await state.places.attach({ place: 'internet' })
  const heard = await runAt(attachment, {
    command: 'sh',
    args: ['-c', 'id -u; id -g; id -G; pwd; grep CapEff /proc/self/status; cat /etc/resolv.conf'],
    user: { as: 'user of the machine', uid: 65534, gid: 65534, groups: [65534, 12345] },
    cwd: '/usr/bin',
  })
  assert.equal(
    heard.output,
    '65534\n65534\n65534 12345\n/usr/bin\nCapEff:\t0000000000000000\nnameserver 168.63.129.16\n',
  )
})

test('a program that the owner starts runs as the owner, or as root of the place', {
  skip: withoutPlaces,
}, async (t) => {
  const state = await testPlaces(t)
  await state.places.reconcile()
  const attachment = await state.places.attach({ place: 'internet' })
  const program = {
    command: 'sh',
    args: ['-c', 'id -u; id -g; pwd; grep CapEff /proc/self/status; cat /etc/resolv.conf'],
    cwd: '/usr/bin',
  }
  const own = `${process.getuid?.()}\n${process.getgid?.()}\n`
  // User 0 has every right in a user namespace, and none outside of it.
  const rights = isRoot ? '000001ffffffffff' : '0000000000000000'
  const rest = `/usr/bin\nCapEff:\t${rights}\nnameserver 168.63.129.16\n`
  assert.equal((await runAt(attachment, program)).output, own + rest)
  assert.match(
    (await runAt(attachment, { ...program, user: { as: 'root of the place' } })).output,
    /^0\n0\n/,
  )
})

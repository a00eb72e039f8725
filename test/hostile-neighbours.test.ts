import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createArmClient } from './support/arm-client.ts'
import { type Causeway, startCauseway, type Where } from './support/causeway.ts'
import { type HeldProgram, holdProgram } from './support/held-program.ts'
import { needs } from './support/needs.ts'
import { createPrincipal } from './support/principals.ts'
import { makeGroup, makeNetwork } from './support/private-registry.ts'
import { type Finished, failed, succeeded } from './support/run.ts'

const [yard, field] = [{ vnet: 'yard' }, { vnet: 'field' }]
const isRoot = process.geteuid?.() === 0
/** Under root programs run as those who called through sudo, each as somebody else; else all of them as the owner. */
const callerOf = (uid: string) =>
  isRoot ? { environment: { ...process.env, SUDO_UID: uid, SUDO_GID: uid } } : {}
const [HOSTILE, OTHER] = [callerOf('64021'), callerOf('64022')]
const DENIED = /denied|not permitted/i
const PARTS = ['environ', 'mem', 'maps', 'fd/0', 'cwd', 'root/etc/hostname']
const LOOK = 'ls "/proc/$1/$2/" || head -c1 "/proc/$1/$2"'
const MANAGED = 'http://169.254.169.254/metadata/identity/oauth2/token'
const FOR_ARM = 'api-version=2018-02-01&resource=https://management.azure.com/'
/** Of packets, which are whole frames, ARP among them, and of IP: family, type, protocol. */
const RAW_SOCKETS = ['17, 3, 768', '17, 2, 1544', '2, 3, 1', '2, 3, 255']

// What docs/security.md says of programs that mean harm to others, tried.
describe('a hostile program among others', {
  ...needs('places', 'ip', 'curl', 'perl'),
  timeout: 300_000,
}, () => {
  let causeway: Causeway
  const victims: HeldProgram[] = []

  before(async () => {
    causeway = await startCauseway()
    const arm = await createArmClient(causeway)
    const group = await makeGroup(arm, 'neighbours')
    for (const { vnet } of [yard, field]) await makeNetwork(arm, group, vnet)
    await createPrincipal(causeway, 'robot', '--role', 'Reader', '--scope', arm.subscription)
  })
  after(async () => {
    for (const victim of victims) await victim.end()
    await causeway?.remove()
  })

  const bash = (script: string, ...words: readonly string[]): Promise<Finished> =>
    causeway.inPlace(yard, ['bash', '-c', script, 'hostile', ...words], { ...HOSTILE, cwd: '/' })

  /** A program with an identity, which waits until the end; returns its process. */
  async function startVictim(where: Where, caller: typeof HOSTILE): Promise<string> {
    const script = ['sh', '-c', 'echo $$; read until']
    const victim = await holdProgram(causeway, where, script, { ...caller, cwd: '/', as: 'robot' })
    victims.push(victim)
    return victim.told
  }

  test('cannot look into another program, nor trace it, in its own place or in another one', async () => {
    for (const where of [yard, field]) {
      const pid = await startVictim(where, OTHER)
      // The kernel asks for the memory what it asks for ptrace.
      for (const part of PARTS) assert.match(failed(await bash(LOOK, pid, part)), DENIED, part)
    }
  })

  test("cannot enter another program's namespaces", async () => {
    for (const [where, caller] of [
      [yard, OTHER],
      [field, OTHER],
      [field, HOSTILE],
    ] as const) {
      const pid = await startVictim(where, caller)
      for (const script of [
        'nsenter --net --target="$1" true',
        'nsenter --net="/proc/$1/ns/net" true',
        'nsenter --mount --target="$1" true',
        'unshare -Ur nsenter --net --target="$1" true',
      ]) {
        assert.match(failed(await bash(script, pid)), DENIED, script)
      }
    }
  })

  test('may look into a program of the same user, where both came through sudo', {
    skip: isRoot ? false : 'it needs root',
  }, async () => {
    const pid = await startVictim(field, HOSTILE)
    assert.match(succeeded(await bash('cat "/proc/$1/environ"', pid)), /AZURE_CLIENT_SECRET=/)
  })

  test('cannot send raw packets, nor speak ARP', async () => {
    const open = 'exec perl -e "socket(S, $1) or die qq(\\$!\\n)"'
    for (const socket of RAW_SOCKETS) {
      assert.match(failed(await bash(open, socket)), DENIED, socket)
      const asRootOfNothing = open.replace('exec', 'exec unshare -Ur')
      assert.match(failed(await bash(asRootOfNothing, socket)), DENIED, socket)
      const command = ['bash', '-c', open, 'allowed', socket]
      succeeded(await causeway.inPlace(yard, command, { root: true }))
    }
  })

  test("as root of its place may take another program's address, and have its token", async () => {
    await startVictim(yard, OTHER)
    const { places } = await causeway.status()
    const { programs = [] } = places.find(({ name }) => name === yard.vnet) ?? {}
    const script = `
      PATH=$PATH:/usr/sbin:/sbin
      curl -sS --max-time 10 -H 'Metadata: true' "$2"
      ip link set eth0 address "$(printf '02:00:%02x:%02x:%02x:%02x' $(echo "$1" | tr . ' '))"
      ip address add "$1/24" dev eth0
      curl -sS --max-time 10 --interface "$1" -H 'Metadata: true' "$2"`
    const words = ['hostile', programs[0]?.address ?? '', `${MANAGED}?${FOR_ARM}`]
    const command = ['bash', '-c', script, ...words]
    const told = succeeded(await causeway.inPlace(yard, command, { root: true }))
    assert.match(told, /identity_not_found.*"access_token"/)
  })
})

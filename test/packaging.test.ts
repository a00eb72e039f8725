import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { chown, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parse } from 'yaml'
import { parseConfigFile } from '../src/configuration/read-config-file.ts'
import { needs } from './support/needs.ts'
import { run } from './support/run.ts'
import { projectFolder } from './support/shared-data.ts'

const UNIT = join(projectFolder, 'packaging/systemd/causeway.service')
const CONTAINERFILE = join(projectFolder, 'packaging/container/Containerfile')
const DAVE = { uid: 64_031, gid: 64_031 }

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'causeway-packaging-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

const settingsOf = (unit: string): ReadonlyMap<string, string> =>
  new Map([...unit.matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]))

/** Starts a server, waits until it serves, has it end, and returns what it printed. */
async function startAndEnd(
  t: TestContext,
  command: readonly [string, ...string[]],
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  const [file, ...args] = command
  const child = spawn(file, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  const ended = once(child, 'close')
  let printed = ''
  let isAsked = false
  const collect = (text: string) => {
    printed += text
    if (isAsked || !printed.includes('Causeway is serving.')) return
    // A second signal would not wait for the end.
    isAsked = true
    child.kill('SIGTERM')
  }
  child.stdout.setEncoding('utf8').on('data', collect)
  child.stderr.setEncoding('utf8').on('data', collect)
  const [code] = await ended
  assert.equal(code, 0, printed)
  return printed
}

test('systemd finds nothing wrong with the unit', needs('systemd-analyze'), async (t) => {
  const unit = await readFile(UNIT, 'utf8')
  const file = join(await temporaryFolder(t), 'causeway.service')
  // Where it is to be installed there is nothing here.
  await writeFile(file, unit.replaceAll('/opt/causeway', projectFolder))
  const { code, stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', file])
  assert.equal(`${stdout}${stderr}`.match(/causeway\.service.*/g)?.join('\n') ?? '', '')
  assert.equal(code, 0, stderr)
})

test('under what the unit takes away, places are had and a port below 1024', {
  ...needs('root', 'ip'),
  timeout: 60_000,
}, async (t) => {
  const settings = settingsOf(await readFile(UNIT, 'utf8'))
  assert.equal(settings.get('ProtectSystem'), 'full')
  assert.equal(settings.get('NoNewPrivileges'), 'yes')
  const capabilities = (name: string) =>
    `-all,+${(settings.get(name) ?? '').replace('CAP_', '').toLowerCase()}`
  const folder = await temporaryFolder(t)
  await chown(folder, DAVE.uid, DAVE.gid)
  const address = `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}`
  const configuration = join(folder, 'causeway.yaml')
  await writeFile(
    configuration,
    `port: 0\nregistry: { listeners: [{ address: ${address}, port: 443 }] }\n`,
  )
  // What ProtectSystem=full does (systemd.exec), then the rights, then the program.
  const script =
    'for part in /usr /boot /etc; do mount --rbind $part $part; mount -o remount,bind,ro $part; done; exec "$@"'
  const rights = ['AmbientCapabilities', 'AmbientCapabilities', 'CapabilityBoundingSet'].map(
    (name, index) =>
      `${['--inh-caps', '--ambient-caps', '--bounding-set'][index]}=${capabilities(name)}`,
  )
  const [, ...args] = (settings.get('ExecStart') ?? '').split(' ')
  const printed = await startAndEnd(
    t,
    [
      ...(['unshare', '--mount', 'sh', '-ec', script, 'sh'] as const),
      ...['setpriv', `--reuid=${DAVE.uid}`, `--regid=${DAVE.gid}`, '--clear-groups', ...rights],
      ...['--no-new-privs', '--', join(projectFolder, 'bin/causeway'), ...args],
    ],
    {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      CAUSEWAY_CONFIG: configuration,
      CAUSEWAY_DATA: join(folder, 'data'),
    },
  )
  assert.match(printed, /✓ places/)
})

test('the container has every file that the server needs', {
  ...needs('places', 'ip'),
  timeout: 60_000,
}, async (t) => {
  const containerfile = await readFile(CONTAINERFILE, 'utf8')
  const folder = await temporaryFolder(t)
  const installed = join(folder, 'causeway')
  await mkdir(installed)
  for (const [, line = ''] of containerfile.matchAll(/^COPY (?!--from)(.*)$/gm)) {
    const sources = line.split(' ')
    const target = join(installed, sources.pop() ?? '')
    for (const source of sources) {
      const to = sources.length > 1 ? join(target, source) : target
      await cp(join(projectFolder, source), to, { recursive: true, preserveTimestamps: true })
    }
  }
  await symlink(join(projectFolder, 'node_modules'), join(installed, 'node_modules'))
  const command = instruction(containerfile, 'CMD')
  assert.deepEqual(instruction(containerfile, 'ENTRYPOINT'), ['causeway'])
  const printed = await startAndEnd(
    t,
    [join(installed, 'bin/causeway'), ...command, '--port', '0'],
    { ...process.env, CAUSEWAY_DATA: join(folder, 'data') },
  )
  assert.match(printed, /Causeway is serving\./)
})

test('compose builds that container, and mounts what the guide configures', async () => {
  const file = join(projectFolder, 'packaging/compose.yaml')
  const { services, volumes } = parse(await readFile(file, 'utf8')) as {
    services: {
      causeway: {
        build: { context: string; dockerfile: string }
        environment: Readonly<Record<string, string>>
        volumes: readonly string[]
      }
    }
    volumes: object
  }
  const { build, environment, volumes: mounts } = services.causeway
  assert.equal(join(dirname(file), build.context, build.dockerfile), CONTAINERFILE)
  const inside = mounts.map((mount) => mount.split(':')[1])
  assert.ok(inside.includes(environment.CAUSEWAY_CONFIG))
  assert.deepEqual(Object.keys(volumes), ['data'])
  const guide = await readFile(join(projectFolder, 'docs/guides/own-registry.md'), 'utf8')
  const [, text = ''] = /```yaml\n(.*?)```/s.exec(guide) ?? []
  const { dataFolder = '', certificates = [] } = parseConfigFile('guide.yaml', text)
  for (const path of [dataFolder, dirname(certificates[0]?.keyFile ?? '')]) {
    assert.ok(inside.includes(path), path)
  }
})

const instruction = (containerfile: string, name: string): readonly string[] =>
  JSON.parse(new RegExp(`^${name} (\\[.*\\])$`, 'm').exec(containerfile)?.[1] ?? '[]')

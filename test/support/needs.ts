import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { sharedData } from './shared-data.ts'

const isRoot = process.getuid?.() === 0

/** What a suite may need of the machine, each with what is missing where it is not met. */
const NEEDS = {
  root: () => (isRoot ? undefined : 'it needs root'),
  places: () =>
    isRoot || succeeds('unshare', '-Urn', 'true')
      ? undefined
      : 'it makes network namespaces, and user namespaces are forbidden',
  docker: () =>
    onPath('dockerd') && onPath('docker') ? undefined : 'Docker Engine is not installed',
  az: () => (onPath('az') ? undefined : 'the Azure CLI is not installed'),
  chromium: () => (onPath('chromium') ? undefined : 'Chromium is not installed'),
  certutil: () => (onPath('certutil') ? undefined : 'certutil is not installed'),
  openssl: () => (onPath('openssl') ? undefined : 'openssl is not installed'),
  dig: () => (onPath('dig') ? undefined : 'dig is not installed'),
  forwarders: () =>
    onPath('dnsmasq') && onPath('named') && onPath('unbound')
      ? undefined
      : 'dnsmasq, BIND or Unbound is not installed',
  'docker-registry': () =>
    onPath('docker-registry') ? undefined : 'docker-registry is not installed',
  podman: () => (onPath('podman') ? undefined : 'podman is not installed'),
  umoci: () => (onPath('umoci') ? undefined : 'umoci is not installed'),
  skopeo: () => (onPath('skopeo') ? undefined : 'skopeo is not installed'),
  zsh: () => (onPath('zsh') ? undefined : 'zsh is not installed'),
  fish: () => (onPath('fish') ? undefined : 'fish is not installed'),
  'systemd-analyze': () =>
    onPath('systemd-analyze') ? undefined : "systemd's own check of units is not installed",
  logrotate: () => (onPath('logrotate') ? undefined : 'logrotate is not installed'),
  curl: () => (onPath('curl') ? undefined : 'curl is not installed'),
  strace: () => (onPath('strace') ? undefined : 'strace is not installed'),
  perl: () => (onPath('perl') ? undefined : 'perl is not installed'),
  ip: () => (onPath('ip') && onPath('nsenter') ? undefined : 'iproute2 or util-linux is missing'),
  'trust store': () =>
    onPath('update-ca-certificates') ? undefined : 'update-ca-certificates is not installed',
  'shared data': () =>
    existsSync(sharedData('article/article.ko.md')) ? undefined : 'the shared data is not here',
} as const satisfies Record<string, () => string | undefined>

export type Need = keyof typeof NEEDS

/**
 * Options for a test or suite that needs these things: skipped, with the reason, where one is missing.
 *
 * @throws where one is missing although CAUSEWAY_CI=1 promises all of them; to an ordinary user all but root.
 */
export function needs(...wanted: readonly Need[]): { readonly skip: string | false } {
  const missing = wanted.filter((need) => NEEDS[need]() !== undefined)
  if (missing.length === 0) return { skip: false }
  const reason = missing.map((need) => NEEDS[need]()).join('; ')
  const isPromised = missing.some((need) => need !== 'root' || isRoot)
  if (process.env.CAUSEWAY_CI === '1' && isPromised) throw new Error(`cannot run here: ${reason}`)
  return { skip: reason }
}

function onPath(command: string): boolean {
  // An ordinary user's PATH often lacks the folders of dockerd and ip.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.some((folder) => folder !== '' && existsSync(join(folder, command)))
}

function succeeds(command: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

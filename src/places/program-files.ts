import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { RESOLVER_ADDRESS } from './place-plan.ts'

/** Files that a program in a place sees instead of the machine's own. */
export interface ProgramFiles {
  readonly resolvConf: string
  readonly hosts: string
  readonly nsswitch: string
  /** PEM: the trust store of places. */
  readonly caBundle: string
}

/** Writes the files of one program into a folder of its own. They are read by whichever user the program runs as. */
export async function writeProgramFiles(
  folder: string,
  program: { readonly address: string; readonly dnsServers: readonly string[] },
): Promise<Omit<ProgramFiles, 'caBundle'>> {
  const { address, dnsServers } = program
  const servers = dnsServers.length > 0 ? dnsServers : [RESOLVER_ADDRESS]
  const files = {
    resolvConf: join(folder, 'resolv.conf'),
    hosts: join(folder, 'hosts'),
    nsswitch: join(folder, 'nsswitch.conf'),
  }
  await mkdir(folder, { recursive: true })
  const machineSwitch = await readFile('/etc/nsswitch.conf', 'utf8').catch(() => '')
  for (const [file, text] of [
    [files.resolvConf, servers.map((server) => `nameserver ${server}\n`).join('')],
    [files.hosts, `127.0.0.1 localhost\n::1 localhost ip6-localhost\n${address} ${hostname()}\n`],
    [files.nsswitch, askOnlyDns(machineSwitch)],
  ] as const) {
    await writeFile(file, text)
    // Programs of every user read it, whatever the server's umask says.
    await chmod(file, 0o644)
  }
  await chmod(folder, 0o755)
  return files
}

/** The machine's own name service switch, with hosts taken from the hosts file and DNS and from nothing else. */
function askOnlyDns(nsswitch: string): string {
  const others = nsswitch.split('\n').filter((line) => line !== '' && !/^\s*hosts\s*:/.test(line))
  return `${[...others, 'hosts: files dns'].join('\n')}\n`
}

/** Removes the folders of programs that are gone. */
export async function removeFilesBut(folder: string, ids: ReadonlySet<string>): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  await Promise.all(
    names
      .filter((name) => !ids.has(name))
      .map((name) => rm(join(folder, name), { recursive: true, force: true })),
  )
}

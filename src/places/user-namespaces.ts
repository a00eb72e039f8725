import { existsSync, readFileSync } from 'node:fs'

/** Why there cannot be places, and what would help. */
export interface Obstacle {
  readonly cause: string
  readonly cure: string
}

/** Reads a small file of the machine; undefined where it is not there. */
type Read = (file: string) => string | undefined

const SWITCHES = [
  {
    // Ubuntu since 23.10.
    name: 'kernel.apparmor_restrict_unprivileged_userns',
    isForbidding: (value: number) => value === 1,
    cause: 'AppArmor keeps ordinary users from user namespaces',
    cure: 0,
    isForRoot: false,
  },
  {
    // Debian's and Arch's hardened kernels.
    name: 'kernel.unprivileged_userns_clone',
    isForbidding: (value: number) => value === 0,
    cause: 'The kernel keeps ordinary users from user namespaces',
    cure: 1,
    isForRoot: false,
  },
  {
    name: 'user.max_user_namespaces',
    isForbidding: (value: number) => value === 0,
    cause: 'The machine allows no user namespaces',
    cure: 15000,
    isForRoot: true,
  },
] as const

/**
 * Recognises what keeps somebody from user namespaces: switches of the kernel, a container's filter, missing programs.
 *
 * @param complaint what was said when it was tried
 */
export function explainRefusal(complaint: string, read: Read = readIfThere): Obstacle {
  if (complaint.includes('ENOENT')) {
    return {
      cause: `A program that makes namespaces is missing (${complaint}).`,
      cure: 'Install iproute2 and util-linux.',
    }
  }
  for (const { name, isForbidding, cause, cure, isForRoot } of SWITCHES) {
    const value = read(`/proc/sys/${name.replaceAll('.', '/')}`)
    if (value === undefined || !isForbidding(Number(value))) continue
    return {
      cause: `${cause} (${name} is ${value.trim()}).`,
      cure: `Run 'sudo sysctl -w ${name}=${cure}' and keep it in /etc/sysctl.d${isForRoot ? '' : ', or start Causeway with sudo'}.`,
    }
  }
  if (read('/.dockerenv') !== undefined || read('/run/.containerenv') !== undefined) {
    return {
      cause: `This container forbids user namespaces (${complaint}).`,
      cure: 'Start it with --privileged, or with --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined.',
    }
  }
  if (/^Seccomp:\s*2$/m.test(read('/proc/self/status') ?? '')) {
    return {
      cause: `A system call filter (seccomp) forbids user namespaces (${complaint}).`,
      cure: 'Start Causeway without the filter, or with sudo.',
    }
  }
  return {
    cause: `No network namespace could be made in a user namespace (${complaint}).`,
    cure: 'Start Causeway with sudo, or see that the kernel allows user namespaces, bridges and veth.',
  }
}

const readIfThere: Read = (file) => {
  if (!existsSync(file)) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

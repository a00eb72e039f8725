import type { HostAddress } from './host-front.ts'

interface Listener {
  readonly address: string
  readonly port: number
}

/** The sockets beyond loopback that the operator asks for; where two planes share one, it is one. */
export function hostAddresses(asked: {
  readonly registry: { readonly listeners: readonly Listener[] }
  readonly controlPlane: { readonly listeners: readonly Listener[] }
}): readonly HostAddress[] {
  const merged = new Map<string, HostAddress>()
  const add = (what: 'registry' | 'control', { address, port }: Listener) => {
    const key = `${address}:${port}`
    merged.set(key, { address, port, serves: [...(merged.get(key)?.serves ?? []), what] })
  }
  for (const listener of asked.registry.listeners) add('registry', listener)
  for (const listener of asked.controlPlane.listeners) add('control', listener)
  return [...merged.values()]
}

import type { PlaceId } from '../lib/origin.ts'
import type { EndpointListener, SubnetFacts } from './network-source.ts'
import type { ProgramStatus } from './programs.ts'

/** A place as it is now. */
export interface PlaceStatus {
  readonly place: PlaceId
  /** The network's name, or `internet`. */
  readonly name: string
  readonly resourceGroup?: string
  readonly namespace: string
  readonly state: 'ready' | 'failed'
  /** Why it failed. */
  readonly cause?: string
  readonly subnets: readonly SubnetFacts[]
  /** Private endpoints that listen. */
  readonly listeners: readonly EndpointListener[]
  /** Addresses on which the public side listens. */
  readonly publicAddresses: readonly string[]
  readonly programs: readonly ProgramStatus[]
}

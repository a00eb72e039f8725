import type { NetworkSource } from '../places/network-source.ts'
import type { NetworkSummary } from './contract.ts'

/** The networks and their subnets, by name. */
export const listNetworks = (source: Pick<NetworkSource, 'list'>): readonly NetworkSummary[] =>
  source.list().map(({ name, resourceGroup, subnets }) => ({
    name,
    resourceGroup,
    subnets: subnets.map((subnet) => subnet.name),
  }))

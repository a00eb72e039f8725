/** A region of the public cloud. */
export interface Region {
  /** `westeurope`. */
  readonly name: string
  /** `West Europe`. */
  readonly displayName: string
}

const region = (displayName: string): Region => ({
  name: displayName.toLowerCase().replaceAll(' ', ''),
  displayName,
})

/** The regions that resources may be in. */
export const REGIONS: readonly Region[] = [
  'Australia East',
  'Australia Southeast',
  'Brazil South',
  'Canada Central',
  'Canada East',
  'Central India',
  'Central US',
  'East Asia',
  'East US',
  'East US 2',
  'France Central',
  'Germany West Central',
  'Israel Central',
  'Italy North',
  'Japan East',
  'Japan West',
  'Korea Central',
  'Korea South',
  'Mexico Central',
  'North Central US',
  'North Europe',
  'Norway East',
  'Poland Central',
  'Qatar Central',
  'South Africa North',
  'South Central US',
  'South India',
  'Southeast Asia',
  'Spain Central',
  'Sweden Central',
  'Switzerland North',
  'UAE North',
  'UK South',
  'UK West',
  'West Central US',
  'West Europe',
  'West India',
  'West US',
  'West US 2',
  'West US 3',
].map(region)

/** The region's own form of a name: `West Europe` is `westeurope`. */
export const normaliseRegion = (text: string): string => text.replaceAll(' ', '').toLowerCase()

export const findRegion = (text: string): Region | undefined =>
  REGIONS.find((candidate) => candidate.name === normaliseRegion(text))

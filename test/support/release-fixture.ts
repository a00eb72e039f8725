import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectFolder } from './shared-data.ts'

/** What a data folder that some version has left behind is known to hold. */
export interface ReleaseFixture {
  readonly version: string
  /** The number of its last migration. */
  readonly schema: number
  /** Ids of every resource that the subscription lists, and of groups and record sets. */
  readonly resources: readonly string[]
  /** Who may pull, by a secret from then. */
  readonly principal: { readonly name: string; readonly appId: string; readonly secret: string }
  readonly images: readonly {
    readonly network: string
    readonly loginServer: string
    /** Where the endpoint in that network listens. */
    readonly address: string
    readonly digest: string
  }[]
}

export const fixturesFolder = join(projectFolder, 'test/fixtures')

const DESCRIPTION = 'expected.json'
const ARCHIVE = 'data-folder.tar.gz'

/** Every fixture that there is, by the name of its folder. */
export const releaseFixtures: readonly (readonly [name: string, fixture: ReleaseFixture])[] =
  readdirSync(fixturesFolder)
    .toSorted()
    .map((name) => [
      name,
      JSON.parse(readFileSync(join(fixturesFolder, name, DESCRIPTION), 'utf8')) as ReleaseFixture,
    ])

export const unpackFixture = (name: string, folder: string): void => {
  const archive = join(fixturesFolder, name, ARCHIVE)
  execFileSync('tar', ['-xzf', archive, '--no-same-owner', '--directory', folder])
}

import { stdout } from 'node:process'
import { PullRefused, pullImage } from './pull.ts'
import { resolveChain } from './resolve.ts'
import type { Trial } from './trial.ts'

// A program of its own: it is run inside a place, with that place's names, trust and credentials, and prints a Trial.
const [loginServer = '', repository = '', tag = ''] = process.argv.slice(2)
const {
  AZURE_TENANT_ID: tenantId = '',
  AZURE_CLIENT_ID: clientId = '',
  AZURE_CLIENT_SECRET: clientSecret = '',
} = process.env

stdout.write(JSON.stringify(await tryToPull()))

async function tryToPull(): Promise<Trial> {
  const chain = await resolveChain(loginServer)
  const address = chain.findLast((record) => record.type === 'A')?.data
  const found = { chain, ...(address && { address }) }
  try {
    const credentials = { tenantId, clientId, clientSecret }
    const pulled = await pullImage(loginServer, repository, tag, credentials)
    return { ...found, pull: { allowed: true, ...pulled } }
  } catch (error) {
    if (!(error instanceof PullRefused)) throw error
    return { ...found, pull: { allowed: false, words: error.message } }
  }
}

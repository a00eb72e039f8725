import { env } from 'node:process'
import { InteractiveBrowserCredential } from '@azure/identity'
import { decodeJwt } from 'jose'

/** A program of the SDK that has a person sign in, and prints who did. */
const credential = new InteractiveBrowserCredential({ tenantId: env.AZURE_TENANT_ID ?? '' })
const { token } = await credential.getToken('https://management.azure.com/.default')
process.stdout.write(String(decodeJwt(token).upn))

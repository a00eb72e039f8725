import { readIfPresent } from '../lib/durable-file.ts'
import { type Finding, ok, warning } from './finding.ts'
import { findMachineTrust, isTrusted } from './machine-trust.ts'

/** Whether the machine trusts the host's authority. It need not: a finding is out of order only where it once did. */
export async function checkTrust(mark: string, certificateFile: string): Promise<Finding> {
  const certificate = await readIfPresent(certificateFile)
  if (certificate === undefined) return ok('trust', 'no certificate authority yet')
  if (await isTrusted(certificate)) {
    return ok('trust', "the machine trusts the host's certificate authority")
  }
  const store = await findMachineTrust(mark)
  const former = store && (await readIfPresent(store.file))
  if (former === undefined) {
    return ok(
      'trust',
      `the machine does not trust ${certificateFile}; clients name it ('causeway env'), or 'causeway trust'`,
    )
  }
  return warning(
    'trust',
    `${store?.file} is of an authority that is no longer in use`,
    "'causeway trust' replaces it, 'causeway trust --remove' takes it away.",
  )
}

import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { CannotStart } from '../lib/cannot-start.ts'
import { parseAllowList } from './allow-list.ts'
import { createEgress, type Egress, type EgressOptions } from './create-egress.ts'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** The egress of this server, as its operator has set it. @throws CannotStart */
export async function openEgress(
  settings: { readonly allow: readonly string[]; readonly authoritiesFile?: string },
  options: Pick<EgressOptions, 'own' | 'log' | 'clock'>,
): Promise<Egress> {
  const { allow, authoritiesFile } = settings
  const authorities = authoritiesFile ? await readAuthorities(authoritiesFile) : []
  return createEgress({ ...options, allow: parseAllowList(allow), authorities })
}

async function readAuthorities(file: string): Promise<readonly string[]> {
  const unusable = (cause?: unknown) =>
    new CannotStart(`'${file}' holds no certificate authorities in PEM, or cannot be read.`, {
      cause,
    })
  const text = await readFile(file, 'utf8').catch((error) => {
    throw unusable(error)
  })
  const authorities = text.match(CERTIFICATE) ?? []
  if (authorities.length === 0) throw unusable()
  try {
    for (const each of authorities) new X509Certificate(each)
  } catch (error) {
    throw unusable(error)
  }
  return authorities
}

import { readFile, stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import { CannotStart } from '../lib/cannot-start.ts'
import {
  isSecretIdentifier,
  type VaultSecrets,
} from '../providers/container-registry/vault-secrets.ts'

const FOR_EVERYBODY = 0o007

/**
 * The secrets in the operator's file, YAML or JSON: a mapping of identifiers to values. The file is read again when it has
 * changed; nothing of it is kept on disk. Without a file there are no secrets.
 *
 * @throws CannotStart where the file cannot be used
 */
export async function openVaultSecrets(
  file: string | undefined,
  log: Pick<Logger, 'error'>,
): Promise<VaultSecrets> {
  if (file === undefined) return { valueOf: async () => undefined }
  let secrets = await readSecrets(file)
  let seenAt = await changeOf(file)

  async function refresh(path: string): Promise<void> {
    const changedAt = await changeOf(path)
    if (changedAt === seenAt) return
    seenAt = changedAt
    try {
      secrets = await readSecrets(path)
    } catch (error) {
      // Whoever writes it anew is perhaps not done: what it said before stands until then.
      log.error({ err: error }, 'the file of secrets cannot be used')
    }
  }

  return {
    async valueOf(identifier) {
      await refresh(file)
      const key = keyOf(identifier)
      return secrets.get(key) ?? secrets.get(key.replace(/(\/secrets\/[^/]+)\/.*$/, '$1'))
    },
  }
}

/** When it was last changed; undefined while there is none. */
const changeOf = async (file: string): Promise<number | undefined> =>
  (await stat(file).catch(() => undefined))?.mtimeMs

async function readSecrets(file: string): Promise<ReadonlyMap<string, string>> {
  const { mode } = await stat(file).catch((error) => {
    throw new CannotStart(`The file of secrets '${file}' cannot be read.`, { cause: error })
  })
  if ((mode & FOR_EVERYBODY) !== 0) {
    throw new CannotStart(
      `The file of secrets '${file}' is open to every user of the machine: chmod 600 closes it.`,
    )
  }
  const text = await readFile(file, 'utf8').catch((error) => {
    throw new CannotStart(`The file of secrets '${file}' cannot be read.`, { cause: error })
  })
  return parseSecrets(file, text)
}

async function parseSecrets(file: string, text: string): Promise<ReadonlyMap<string, string>> {
  const { parse } = await import('yaml')
  let content: unknown
  try {
    content = parse(text) ?? {}
  } catch {
    // Its own words would quote the file.
    throw new CannotStart(`The file of secrets '${file}' is neither YAML nor JSON.`)
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new CannotStart(`The file of secrets '${file}' is no mapping of identifiers to values.`)
  }
  const secrets = new Map<string, string>()
  for (const [identifier, value] of Object.entries(content)) {
    if (!isSecretIdentifier(identifier) || typeof value !== 'string' || value === '') {
      throw new CannotStart(
        `The file of secrets '${file}' has '${identifier}': give an identifier of the form 'https://<vault>.vault.azure.net/secrets/<name>' and a text as its value.`,
      )
    }
    secrets.set(keyOf(identifier), value)
  }
  return secrets
}

/** Vaults and secrets have names without regard to case. */
const keyOf = (identifier: string): string => identifier.toLowerCase().replace(/\/$/, '')

/** The operator's secrets, by the identifiers that a key vault has for them. */
export interface VaultSecrets {
  /** Undefined where there is no value for it. */
  valueOf(identifier: string): Promise<string | undefined>
}

// https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#vault-name-and-object-name
const IDENTIFIER =
  /^https:\/\/[a-z0-9-]{3,24}(?:\.[a-z0-9-]+)+\/secrets\/[a-z0-9-]{1,127}(?:\/[a-f0-9]{32})?\/?$/i

/** Whether it is `https://<vault>.vault.azure.net/secrets/<name>`, with a version or without, in any cloud's domain. */
export const isSecretIdentifier = (text: string): boolean => IDENTIFIER.test(text)

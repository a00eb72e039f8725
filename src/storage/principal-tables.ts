/** Who may be given rights. */
export interface PrincipalRow {
  object_id: string
  app_id: string
  display_name: string
  /** The display name in lower case: names are unique in any case. */
  name_key: string
  kind: 'ServicePrincipal' | 'User'
  created_at: string
}

/** A secret of a principal, as a hash. Rows go with their principal. */
export interface PrincipalSecretRow {
  /** The credential's id, carried by the tokens it obtained. */
  id: string
  object_id: string
  /** SHA-256 of the secret. */
  hash: Uint8Array
  /** What the secret was minted for, an attached program; null for a secret of the principal itself. */
  owner: string | null
  created_at: string
}

export interface PrincipalTables {
  principals: PrincipalRow
  principal_secrets: PrincipalSecretRow
}

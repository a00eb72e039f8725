/** Who may be given rights. */
export interface PrincipalRow {
  object_id: string
  app_id: string
  display_name: string
  /** The display name in lower case: names are unique in any case. */
  name_key: string
  kind: 'ServicePrincipal' | 'User'
  created_at: string
  /** The object id of a service principal's application; null for a user. */
  application_id: string | null
  /** 0 for an application whose service principal is not there: it has no rights and cannot sign in. */
  is_enrolled: number
}

/** When a credential counts; null leaves it open. */
interface Validity {
  starts_at: string | null
  expires_at: string | null
}

/** A secret of a principal, as a hash. Rows go with their principal. */
export interface PrincipalSecretRow extends Validity {
  /** The credential's id, carried by the tokens it obtained. */
  id: string
  object_id: string
  /** SHA-256 of the secret. */
  hash: Uint8Array
  /** What the secret was minted for, an attached program; null for a secret of the principal itself. */
  owner: string | null
  created_at: string
  display_name: string | null
  /** Its first characters. */
  hint: string | null
}

/** A certificate whose key signs a principal's assertions. */
export interface PrincipalCertificateRow {
  id: string
  object_id: string
  /** DER. */
  certificate: Uint8Array
  display_name: string | null
  starts_at: string
  expires_at: string
}

/** Whose tokens, of which subject, stand for a principal. */
export interface FederatedCredentialRow {
  id: string
  object_id: string
  name: string
  issuer: string
  subject: string
  /** JSON: texts. */
  audiences: string
  description: string | null
  /** JSON: the issuer's keys, a JWK set. */
  keys: string
}

/** A view over all kinds of credentials. */
export interface PrincipalCredentialRow extends Validity {
  id: string
  object_id: string
  owner: string | null
}

export interface PrincipalTables {
  principals: PrincipalRow
  principal_secrets: PrincipalSecretRow
  principal_certificates: PrincipalCertificateRow
  federated_credentials: FederatedCredentialRow
  principal_credentials: PrincipalCredentialRow
}

import { randomBytes } from 'node:crypto'
import { ArmError, invalidProperty } from '../../arm/arm-error.ts'
import type { Action, Context } from '../../arm/resource-type.ts'
import type { Registry, RegistryProperties } from './registry-properties.ts'

const PASSWORD_NAMES = ['password', 'password2'] as const

// 39 bytes are 52 characters of base64 without padding, which is how the service's passwords look.
const newPassword = (): string => randomBytes(39).toString('base64')

/** Two fresh passwords for the admin user, sealed. */
export const newAdminPasswords = (context: Context): string[] =>
  PASSWORD_NAMES.map(() => context.seal(newPassword()))

export const listCredentials: Action<RegistryProperties> = {
  method: 'POST',
  permission: 'listCredentials/action',
  run: async (registry, _body, context) => {
    requireAdmin(registry)
    return presentCredentials(registry, passwordsOf(registry), context)
  },
}

export const regenerateCredential: Action<RegistryProperties> = {
  method: 'POST',
  permission: 'regenerateCredential/action',
  run: async (registry, body, context) => {
    const name = parseName(body)
    requireAdmin(registry)
    const passwords = passwordsOf(registry).map((sealed, index) =>
      PASSWORD_NAMES[index] === name ? context.seal(newPassword()) : sealed,
    )
    await context.write(registry.id, {
      ...registry,
      properties: { ...registry.properties, adminPasswords: passwords },
    })
    return presentCredentials(registry, passwords, context)
  },
}

function parseName(body: unknown): (typeof PASSWORD_NAMES)[number] {
  const given = typeof body === 'object' && body !== null && 'name' in body ? body.name : undefined
  const name = PASSWORD_NAMES.find((known) => known === given)
  if (!name) throw invalidProperty('name', "it must be 'password' or 'password2'.")
  return name
}

function presentCredentials(registry: Registry, sealed: readonly string[], context: Context) {
  return {
    username: registry.name,
    passwords: PASSWORD_NAMES.map((name, index) => ({
      name,
      value: context.unseal(sealed[index] ?? ''),
    })),
  }
}

function passwordsOf(registry: Registry): readonly string[] {
  const { adminPasswords } = registry.properties
  if (!adminPasswords) throw new Error(`${registry.id} has no admin passwords`)
  return adminPasswords
}

/** @throws ArmError 400 while the admin user is off, https://github.com/hashicorp/terraform-provider-azurerm/issues/21440 */
function requireAdmin(registry: Registry): void {
  if (registry.properties.adminUserEnabled) return
  throw new ArmError(400, {
    code: 'UnAuthorizedForCredentialOperations',
    message:
      `Cannot perform credential operations for ${registry.id} as admin user is disabled. Kindly enable admin user ` +
      'as per docs: https://docs.microsoft.com/en-us/azure/container-registry/container-registry-authentication#admin-account',
  })
}

import { invalidProperty } from '../../arm/arm-error.ts'
import { isSameId, parseResourceId } from '../../arm/resource-id.ts'
import type { Action, Context } from '../../arm/resource-type.ts'
import { isObject } from '../../arm/shape.ts'
import { childNotFound } from './registry-errors.ts'
import { type Registry, type RegistryProperties, TOKEN } from './registry-properties.ts'
import type { Token } from './token.ts'
import {
  makePassword,
  showPassword,
  TOKEN_PASSWORD_NAMES,
  type TokenPasswordName,
} from './token-passwords.ts'

/** New passwords for a token, both or one of them, in place of those of before. What it answers is shown this once. */
export const generateCredentials: Action<RegistryProperties> = {
  method: 'POST',
  run: async (registry, body, context) => {
    const given = isObject(body) ? body : {}
    const names = parseNames(given.name)
    const expiry = parseExpiry(given.expiry, context.now)
    const token = await findToken(registry, given.tokenId, context)
    const made = names.map((name) => makePassword(name, { now: context.now, expiry }))
    const others = (token.properties.keptPasswords ?? []).filter(
      ({ name }) => !names.includes(name),
    )
    const keptPasswords = [...others, ...made.map(({ kept }) => kept)].toSorted((one, other) =>
      one.name < other.name ? -1 : 1,
    )
    await context.write(token.id, {
      ...token,
      properties: { ...token.properties, keptPasswords },
    })
    return {
      username: token.name,
      passwords: made.map(({ kept, value }) => ({ ...showPassword(kept), value })),
    }
  },
}

function parseNames(given: unknown): readonly TokenPasswordName[] {
  if (given === undefined || given === null) return TOKEN_PASSWORD_NAMES
  const name = TOKEN_PASSWORD_NAMES.find((known) => known === given)
  if (!name) throw invalidProperty('name', "it must be 'password1' or 'password2'.")
  return [name]
}

// RFC 3339, of which clients leave out the seconds or the offset; without one it is UTC.
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?$/i

function parseExpiry(given: unknown, now: Date): Date | undefined {
  if (given === undefined || given === null) return undefined
  const [, time = '', offset = 'Z'] = TIME.exec(typeof given === 'string' ? given : '') ?? []
  const expiry = new Date(time + offset)
  if (Number.isNaN(expiry.getTime())) {
    throw invalidProperty('expiry', "it must be a time such as '2030-12-31T23:59:59Z'.")
  }
  if (expiry <= now) throw invalidProperty('expiry', 'it must be in the future.')
  return expiry
}

/** @throws ArmError 400 for what is no token of this registry, 404 where it is not there. */
async function findToken(registry: Registry, tokenId: unknown, context: Context): Promise<Token> {
  const parsed = typeof tokenId === 'string' ? parseResourceId(tokenId) : undefined
  const isOwn =
    parsed?.type.toLowerCase() === TOKEN.toLowerCase() && isSameId(parsed.parent ?? '', registry.id)
  if (!isOwn) {
    throw invalidProperty(
      'tokenId',
      `it must be the id of a token of the registry '${registry.name}'.`,
    )
  }
  const token = await context.get<Token['properties']>(parsed.id)
  if (!token) throw childNotFound(parsed.id)
  return token
}

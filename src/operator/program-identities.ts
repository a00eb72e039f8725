import type { Principal } from '../identity/principal.ts'
import type { Principals, SignIn } from '../identity/principals.ts'

/** The managed identities of programs: whom the metadata service takes them for. */
export interface ProgramIdentities {
  /** `id` is the program's attachment. */
  give(id: string, principal: Principal): Promise<void>
  /** The program that stands at an address, as the metadata service asks for it. */
  at(
    place: string,
    address: string,
    places: readonly Standing[],
  ): { signIn(): Promise<SignIn | undefined> } | undefined
  /** Whether the program runs to which this owner of credentials belongs. */
  isAwake(owner: string): boolean
  /** Forgets those of programs that do not run. */
  tidy(): Promise<void>
}

interface Standing {
  readonly place: string
  readonly programs: readonly { readonly id: string; readonly address: string }[]
}

/**
 * An identity is a secret that nobody knows, minted for one program: tokens obtained in its name end with the program,
 * and a server that comes later finds it where it was. `running` lists attachments.
 */
export function createProgramIdentities(options: {
  readonly principals: Pick<
    Principals,
    'mintSecret' | 'mintedFor' | 'mintedOwners' | 'revokeSecrets'
  >
  readonly running: () => readonly string[]
}): ProgramIdentities {
  const { principals, running } = options
  const isAwake = (owner: string) => running().some((id) => ownerOf(id) === owner)
  return {
    async give(id, principal) {
      await principals.mintSecret(principal, ownerOf(id))
    },
    at(place, address, places) {
      const standing = places.find((each) => each.place === place)
      const program = standing?.programs.find((each) => each.address === address)
      return program && { signIn: () => principals.mintedFor(ownerOf(program.id)) }
    },
    isAwake,
    async tidy() {
      for (const owner of await principals.mintedOwners()) {
        if (owner.startsWith(MARK) && !isAwake(owner)) await principals.revokeSecrets(owner)
      }
    },
  }
}

// Names of homes, the other owners of credentials, never begin with it.
const MARK = '@'
const ownerOf = (id: string): string => `${MARK}${id}`

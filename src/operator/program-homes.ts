import { chmod, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Principal } from '../identity/principal.ts'
import type { Principals } from '../identity/principals.ts'
import type { Sealer } from '../identity/sealer.ts'
import { readIfPresent, replaceFile } from '../lib/durable-file.ts'
import { createMutex } from '../lib/mutex.ts'

/** The configuration folders of one user's programs under one principal, kept from one run to the next. */
export interface Home {
  readonly path: string
  /**
   * Works only while a program of this home runs: what `az login` or `docker login` kept in it is good again in the
   * next program, and worth nothing to anybody in between.
   */
  readonly clientSecret: string
}

export interface ProgramHomes {
  /**
   * Makes or opens the home for a program; `id` is its attachment. That of a user who is not the server's own is for
   * that user to fill, when root has handed it over.
   */
  open(id: string, principal: Principal, user: { uid: number; gid: number }): Promise<Home>
  /** Whether a program runs in the home that owns these credentials. */
  isAwake(owner: string): boolean
  /** Remembers which homes the programs of an earlier run of the server live in. */
  adopt(): Promise<void>
  /** Forgets the programs that do not run. */
  tidy(): Promise<void>
}

/** The folders of a home. */
export const HOME_PARTS = ['azure', 'docker', 'containers'] as const

/** `running` lists the attachments that have a process, or may still get one. */
export function createProgramHomes(options: {
  readonly clients: string
  /** Where a server that comes later finds in which home a program lives. */
  readonly run: string
  readonly principals: Pick<Principals, 'authenticate' | 'mintSecret' | 'revokeSecrets'>
  readonly sealer: Sealer
  readonly running: () => readonly string[]
}): ProgramHomes {
  const { clients, run, principals, sealer, running } = options
  const homes = new Map<string, string>()
  const noteOf = (id: string): string => join(run, `${NOTE}${id}`)
  const noted = async (): Promise<readonly { readonly name: string; readonly id: string }[]> =>
    (await readdir(run))
      .filter((name) => name.startsWith(NOTE))
      // Of a note that is being written the id comes first, too: `program-ID.….draft`.
      .map((name) => ({ name, id: name.slice(NOTE.length).split('.')[0] ?? '' }))
  const oneAtATime = createMutex()

  async function secretOf(owner: string, principal: Principal): Promise<string> {
    const file = join(run, `credential-${owner}`)
    const sealed = await readIfPresent(file)
    const kept = sealed && sealer.unseal(sealed)
    if (kept && (await principals.authenticate(principal.appId, kept))) return kept
    await principals.revokeSecrets(owner)
    const minted = await principals.mintSecret(principal, owner)
    await replaceFile(file, sealer.seal(minted))
    return minted
  }

  return {
    async open(id, principal, { uid }) {
      const owner = `${fileName(principal.displayName)}-${uid}`
      const path = join(clients, owner)
      const parts = uid === process.geteuid?.() ? HOME_PARTS.map((part) => join(path, part)) : []
      for (const folder of [path, ...parts]) {
        if (await mkdir(folder, { recursive: true, mode: 0o700 })) await chmod(folder, 0o700)
      }
      homes.set(id, owner)
      await replaceFile(noteOf(id), owner)
      return { path, clientSecret: await oneAtATime(() => secretOf(owner, principal)) }
    },
    isAwake: (owner) => running().some((id) => homes.get(id) === owner),
    async adopt() {
      for (const { id } of await noted()) {
        const owner = await readIfPresent(noteOf(id))
        if (owner) homes.set(id, owner)
      }
    },
    async tidy() {
      const ids = new Set(running())
      for (const { name, id } of await noted()) {
        if (ids.has(id)) continue
        homes.delete(id)
        await rm(join(run, name), { force: true })
      }
    },
  }
}

const NOTE = 'program-'

/** Names are free text; a folder's name is not. */
const fileName = (name: string): string => encodeURIComponent(name.toLowerCase()).slice(0, 100)

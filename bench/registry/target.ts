import type { Client } from './client.ts'

/** A registry that is measured, and the client that uses it. */
export interface Target {
  readonly name: TargetName
  readonly client: Client
  /** The server's processes, as of now. */
  processes(): Promise<readonly number[]>
  /** Removes the bytes of a blob that nobody will ask for again from the disk. */
  drop(digest: string): Promise<void>
}

export type TargetName =
  /** The registry plane by itself over plain HTTP: what TLS and the rest of the program cost is not in it. */
  | 'causeway-plain'
  /** The program over TLS, by its listener on the host. */
  | 'causeway'
  | 'distribution-plain'
  | 'distribution'
  /** One registry of the program, from the internet by its public listener, and from a network by its private endpoint. */
  | 'public'
  | 'endpoint'

/** What was started for targets, to be ended in reverse. */
export interface Started {
  readonly targets: readonly Target[]
  end(): Promise<void>
}

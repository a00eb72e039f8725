import type { FastifyInstance, preHandlerAsyncHookHandler } from 'fastify'
import { browserRoutes } from './browser-routes.ts'
import { deviceRoutes } from './device-routes.ts'
import type { UserSessions } from './user-sessions.ts'
import type { UserSignIn } from './user-sign-in.ts'

export interface SignInSources {
  readonly signInUser: UserSignIn
  readonly sessions: UserSessions
}

export interface SignInPaths {
  readonly oauth: string
  /** The path of the page for codes, as told to people. */
  readonly page: string
  readonly preHandler: preHandlerAsyncHookHandler[]
}

/** Where a person signs in: by the code of a device, or in the browser that a client has opened. */
export function signInRoutes(
  app: FastifyInstance,
  sources: SignInSources,
  paths: SignInPaths,
): void {
  deviceRoutes(app, sources, paths)
  browserRoutes(app, sources, paths)
}

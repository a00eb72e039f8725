import type { IncomingMessage } from 'node:http'

const HTTPS_PORT = 443

export const isPath = (url: string | undefined): url is string => url?.startsWith('/') === true

/** The host that the request is for: lower case, without port and trailing dot. */
export function hostNameOf(request: IncomingMessage): string | undefined {
  return partsOf(request)?.[1]?.toLowerCase().replace(/\.$/, '')
}

/** The port that the request's host has in it, or else that of https. */
export const hostPortOf = (request: IncomingMessage): number =>
  Number(partsOf(request)?.[2] ?? HTTPS_PORT)

const partsOf = (request: IncomingMessage): RegExpExecArray | null =>
  /^([^:[\]/@\s]+)(?::(\d{1,5}))?$/.exec(request.headers.host ?? '')

export const remoteAddressOf = (request: IncomingMessage): string =>
  (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')

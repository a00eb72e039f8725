import type { ServerResponse } from 'node:http'
import { endAnswer } from '../lib/end-answer.ts'

/** Answers with a JSON body and leaves the connection to the client. */
export function sendJson(response: ServerResponse, status: number, body: object): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': bytes.length,
  })
  endAnswer(response, bytes)
}

/** 421: the request names a host that this connection does not serve. */
export function refuseMisdirected(response: ServerResponse, host: string | undefined): void {
  response.setHeader('connection', 'close')
  const message = `This connection does not serve the host '${host ?? ''}'.`
  sendJson(response, 421, { error: { code: 'MisdirectedRequest', message } })
}

/** 400: a request target that is not a path. */
export function refuseTarget(response: ServerResponse): void {
  response.setHeader('connection', 'close')
  const message = 'The request target must be a path: this is not a proxy.'
  sendJson(response, 400, { error: { code: 'BadRequest', message } })
}

/** 404 in the registry's envelope: a name of the control plane is no registry's. */
export function refuseRegistryOnHost(response: ServerResponse): void {
  const message =
    'Registries are not served by this name, but by their own: https://<registry>.localhost:<port> on this host, ' +
    'and their login servers in places (causeway exec --internet -- CMD, or --vnet NAME).'
  sendJson(response, 404, { errors: [{ code: 'UNSUPPORTED', message, detail: null }] })
}

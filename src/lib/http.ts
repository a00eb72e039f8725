/**
 * `node:http`. To import it evaluates all that it exports, among it a WebSocket whose making takes every process 40 ms;
 * types may be imported from it.
 */
export const http = process.getBuiltinModule('node:http')

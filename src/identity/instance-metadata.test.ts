import assert from 'node:assert/strict'
import { get, type OutgoingHttpHeaders } from 'node:http'
import net from 'node:net'
import { json } from 'node:stream/consumers'
import { test } from 'node:test'
import { pino } from 'pino'
import { identityFor } from './identity-for-tests.ts'
import { createInstanceMetadata } from './instance-metadata.ts'

const TOKEN = '/metadata/identity/oauth2/token'
const RESOURCE = encodeURIComponent('https://management.core.windows.net/')
const ASKED = `${TOKEN}?api-version=2018-02-01&resource=${RESOURCE}`

/** The service in a place where this process is a program, `robot` where it has an identity. */
async function serviceFor(t: { after(hook: () => Promise<void>): void }, has: 'identity' | 'none') {
  const identity = await identityFor(t)
  const { principal } = await identity.principals.create('robot')
  await identity.principals.mintSecret(principal, 'program')
  const service = createInstanceMetadata({
    ...identity,
    programAt: (place, address) =>
      place === 'here' && address === '127.0.0.1'
        ? {
            signIn: async () =>
              has === 'identity' ? identity.principals.mintedFor('program') : undefined,
          }
        : undefined,
    log: pino({ level: 'silent' }),
  })
  const ask = async (path: string, headers: OutgoingHttpHeaders = {}, place = 'here') => {
    const server = net.createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const listener = service.accept(server, place)
    try {
      const { port } = server.address() as net.AddressInfo
      return await new Promise<{ status: number | undefined; body: Record<string, string> }>(
        (resolve, reject) => {
          get({ port, path, headers, agent: false }, async (response) => {
            const body = (await json(response)) as Record<string, string>
            resolve({ status: response.statusCode, body })
          }).once('error', reject)
        },
      )
    } finally {
      await listener.close()
    }
  }
  return { ...identity, principal, ask }
}

test('a program with an identity gets its token, which ends with what it was minted for', async (t) => {
  const { ask, principal, principals, tokens } = await serviceFor(t, 'identity')
  const { status, body } = await ask(ASKED, { Metadata: 'true' })
  assert.equal(status, 200)
  assert.equal(body.client_id, principal.appId)
  assert.equal(Number(body.expires_on) - Number(body.not_before), Number(body.expires_in))
  const claims = await tokens.verifyAccessToken(body.access_token ?? '', ['arm'])
  assert.deepEqual(claims?.principal, principal)
  const named = `${ASKED}&client_id=${principal.appId}`
  assert.equal((await ask(named, { Metadata: 'True' })).status, 200)
  const resourceId = `${IDENTITIES}/Robot`
  for (const id of [`object_id=${principal.objectId}`, `msi_res_id=${resourceId}`]) {
    assert.equal((await ask(`${ASKED}&${id}`, { Metadata: 'true' })).status, 200, id)
  }
  await principals.revokeSecrets('program')
  assert.equal(await tokens.verifyAccessToken(body.access_token ?? '', ['arm']), undefined)
  assert.equal((await ask(ASKED, { Metadata: 'true' })).body.error, 'identity_not_found')
})

const IDENTITIES =
  '/subscriptions/s/resourcegroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities'
const OTHER = '00000000-0000-4000-8000-00000000dead'
for (const [why, path, headers, status, error] of [
  // What SDKs ask to learn whether there is such a service: neither header nor query, any answer but 404 in time.
  ['a probe', TOKEN, {}, 400, 'invalid_request'],
  ['no header', ASKED, {}, 400, 'invalid_request'],
  ['another value of the header', ASKED, { Metadata: '1' }, 400, 'invalid_request'],
  ['a proxy', ASKED, { Metadata: 'true', 'X-Forwarded-For': '1.1.1.1' }, 400, 'invalid_request'],
  ['no resource', `${TOKEN}?api-version=1`, { Metadata: 'true' }, 400, 'invalid_request'],
  ['no version', `${TOKEN}?resource=a`, { Metadata: 'true' }, 400, 'invalid_request'],
  ['another path', '/metadata/instance', { Metadata: 'true' }, 404, 'Not found'],
  [
    'a foreign resource',
    `${TOKEN}?api-version=1&resource=https://a.example/`,
    { Metadata: 'true' },
    400,
    'invalid_resource',
  ],
  [
    'another client',
    `${ASKED}&client_id=${OTHER}`,
    { Metadata: 'true' },
    400,
    'identity_not_found',
  ],
  [
    'another object',
    `${ASKED}&object_id=${OTHER}`,
    { Metadata: 'true' },
    400,
    'identity_not_found',
  ],
  [
    'the resource of another identity',
    `${ASKED}&msi_res_id=${IDENTITIES}/other`,
    { Metadata: 'true' },
    400,
    'identity_not_found',
  ],
  [
    'a name that is no resource',
    `${ASKED}&mi_res_id=robot`,
    { Metadata: 'true' },
    400,
    'identity_not_found',
  ],
] as const) {
  test(`${status}: ${why}`, async (t) => {
    const { ask } = await serviceFor(t, 'identity')
    const answer = await ask(path, headers)
    assert.deepEqual([answer.status, answer.body.error], [status, error])
    assert.equal(answer.body.access_token, undefined)
  })
}

test('400: a program without an identity; 401: who is no program', async (t) => {
  const { ask } = await serviceFor(t, 'none')
  const none = await ask(ASKED, { Metadata: 'true' })
  assert.deepEqual([none.status, none.body.error], [400, 'identity_not_found'])
  const stranger = await ask(ASKED, { Metadata: 'true' }, 'elsewhere')
  assert.deepEqual([stranger.status, stranger.body.error], [401, 'unknown_source'])
})

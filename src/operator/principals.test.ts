import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createApplications } from '../identity/applications.ts'
import { createCredentials } from '../identity/credentials.ts'
import { identityFor, TENANT } from '../identity/identity-for-tests.ts'
import { type ArmClient, ArmRefusal } from '../rehearsal/arm-client.ts'
import { createPrincipal, deletePrincipal } from './principals.ts'

const SUBSCRIPTION = '00000000-0000-4000-8000-000000000001'
const ASSIGNMENTS = '/providers/Microsoft.Authorization/roleAssignments'

type Send = (method: string, id: string) => Promise<unknown>

async function installationFor(t: { after(hook: () => Promise<void>): void }, send: Send) {
  const { principals, database, clock } = await identityFor(t)
  const arm = { send, close() {} } as ArmClient
  return {
    principals,
    applications: createApplications({ database, clock }),
    credentials: createCredentials({ database, clock }),
    assignmentsOf: () => [],
    customRoleName: () => undefined,
    asOwner: <T>(work: (client: ArmClient) => Promise<T>) => work(arm),
    tenantId: TENANT,
    subscriptionId: SUBSCRIPTION,
    ownerName: 'owner',
  }
}

test('the roles of a principal end before it does', async (t) => {
  const sent: string[] = []
  const installation = await installationFor(t, async (method, id) => {
    sent.push(`${method} ${id}`)
    assert.ok(await installation.principals.byName('robot'), 'is still there')
    return { value: [{ id: `/a${ASSIGNMENTS}/1` }, { id: `/b${ASSIGNMENTS}/2` }] }
  })
  const { principal } = await installation.principals.create('robot')
  await deletePrincipal('robot', installation)
  assert.deepEqual(sent, [
    `GET ${ASSIGNMENTS}?$filter=principalId eq '${principal.objectId}'`,
    `DELETE /a${ASSIGNMENTS}/1`,
    `DELETE /b${ASSIGNMENTS}/2`,
  ])
  assert.equal(await installation.principals.byName('robot'), undefined)
})

test('a principal whose roles cannot be taken away stays, to be deleted again', async (t) => {
  const installation = await installationFor(t, async () => {
    throw new ArmRefusal(500, 'InternalServerError', 'no')
  })
  await installation.principals.create('robot')
  await assert.rejects(deletePrincipal('robot', installation), ArmRefusal)
  assert.ok(await installation.principals.byName('robot'))
})

for (const [why, request, message] of [
  ['a name with blanks around it', { name: ' robot' }, /The name of a principal has/],
  ['a scope that leads elsewhere', { name: 'a', role: 'Reader', scope: '//a.example' }, /--scope/],
  ['a scope with a query', { name: 'a', role: 'Reader', scope: '/subscriptions/b?c' }, /--scope/],
] as const) {
  test(`400: ${why}`, async (t) => {
    const installation = await installationFor(t, async () => assert.fail('nothing is asked'))
    await assert.rejects(createPrincipal(request, installation), { status: 400, message })
    assert.deepEqual(await installation.principals.list(), [])
  })
}

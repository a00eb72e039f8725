import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CreatedPrincipal } from '../../src/operator/contract.ts'
import { describeDataFolder } from '../../src/storage/data-folder.ts'
import { createArmClient } from '../../test/support/arm-client.ts'
import { type Causeway, internet, startCauseway, type Where } from '../../test/support/causeway.ts'
import { hostsFile, withFile } from '../../test/support/host-names.ts'
import {
  connect,
  makeGroup,
  makeNetwork,
  makeRegistry,
  type Registry,
} from '../../test/support/private-registry.ts'
import { succeeded } from '../../test/support/run.ts'
import { descendantsOf } from '../process-figures.ts'
import { type Client, startClient } from './client.ts'
import { dropBlob } from './plane.ts'
import type { Started, TargetName } from './target.ts'

const NETWORK = { vnet: 'bench' }

/**
 * The program with two registries: one that is only public, and one with a private endpoint, whose blobs go by its data
 * endpoint. A principal with the role AcrPush pushes and pulls. `workers` serve the registries: as many as by default.
 */
export async function startPrivateCauseway(workers?: number): Promise<Started> {
  const folder = await mkdtemp(join(tmpdir(), 'cw-causeway-'))
  const causeway = await startCauseway(workers === undefined ? {} : { workers })
  const clients: Client[] = []
  const end = async () => {
    for (const client of clients) await client.end()
    await causeway.remove()
    await rm(folder, { recursive: true })
  }
  try {
    const arm = await createArmClient(causeway)
    const group = await makeGroup(arm, 'bench')
    const open = await makeRegistry(arm, group, 'benchopen')
    const linked = await makeRegistry(arm, group, 'benchlinked')
    await connect(arm, await makeNetwork(arm, group, NETWORK.vnet), linked)
    const { port, dataFolder } = await causeway.status()
    const { blobs } = await describeDataFolder(dataFolder)

    const target = (name: TargetName, client: Client) => {
      clients.push(client)
      return {
        name,
        client,
        processes: () => descendantsOf(causeway.serverPid()),
        drop: (digest: string) => dropBlob(blobs, digest),
      }
    }
    const [asOpen, asLinked] = [
      await createPusher(causeway, open),
      await createPusher(causeway, linked),
    ]
    const within = (where: Where) =>
      startClient({ origin: `https://${linked.loginServer}`, credentials: asLinked }, (command) =>
        causeway.placeArguments(where, command),
      )
    const hosts = await hostsFile(folder, [open.loginServer])
    const onHost = startClient(
      { origin: `https://${open.loginServer}:${port}`, credentials: asOpen },
      (command) => withFile(hosts, '/etc/hosts', command),
    )
    return {
      targets: [
        target('causeway', onHost),
        target('public', within(internet)),
        target('endpoint', within(NETWORK)),
      ],
      end,
    }
  } catch (error) {
    await end()
    throw error
  }
}

async function createPusher(causeway: Causeway, registry: Registry) {
  const args = ['principal', 'create', registry.name, '--role', 'AcrPush', '--scope', registry.id]
  const printed = succeeded(await causeway.command([...args, '--json']))
  const { appId, secret = '' } = JSON.parse(printed) as CreatedPrincipal
  return { user: appId, password: secret }
}

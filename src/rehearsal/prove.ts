import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { inheritedEnvironment } from '../config.ts'
import type { Attached, AttachRequest } from '../operator/contract.ts'
import { enterCommand } from '../places/enter.ts'
import { placeEnvironment } from '../places/place-environment.ts'
import { NAMES } from './names.ts'
import type { Trial } from './trial.ts'

/** A trial, and where its client stood. */
export interface Standpoint {
  readonly placeName: string
  readonly clientAddress: string
  readonly trial: Trial
}

export interface Proof {
  readonly image: string
  readonly inside: Standpoint
  readonly outside: Standpoint
  /** Inside was served, outside was refused. */
  readonly holds: boolean
}

type Attach = (request: AttachRequest) => Promise<{ attached: Attached; release(): Promise<void> }>

/** Runs a client of our own in the network and on the internet, and tells what each of them got. */
export async function prove(attach: Attach, registryDomain: string): Promise<Proof> {
  const loginServer = `${NAMES.registry}.${registryDomain}`
  const [inside, outside] = await Promise.all([
    standAt(attach, { network: NAMES.network, resourceGroup: NAMES.group }, loginServer),
    standAt(attach, { internet: true }, loginServer),
  ])
  return {
    image: `${loginServer}/${NAMES.repository}:${NAMES.tag}`,
    inside,
    outside,
    holds: inside.trial.pull.allowed && !outside.trial.pull.allowed,
  }
}

async function standAt(
  attach: Attach,
  where: AttachRequest['where'],
  loginServer: string,
): Promise<Standpoint> {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  const { attached, release } = await attach({ where, uid, gid })
  try {
    return {
      placeName: attached.placeName,
      clientAddress: attached.address,
      trial: await runPullClient(attached, loginServer),
    }
  } finally {
    await release()
  }
}

async function runPullClient(attached: Attached, loginServer: string): Promise<Trial> {
  const client = fileURLToPath(new URL('./pull-client.ts', import.meta.url))
  const { file, args } = enterCommand(attached, {
    command: process.execPath,
    args: [client, loginServer, NAMES.repository, NAMES.tag],
    user: { as: 'owner' },
  })
  const child = spawn(file, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: placeEnvironment({
      caBundle: attached.files.caBundle,
      home: attached.home,
      credentials: attached.credentials,
      inherited: inheritedEnvironment(),
    }),
  })
  const [output, complaints, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ])
  if (code !== 0) {
    throw new Error(`the client in ${attached.placeName} ended with ${code}: ${complaints.trim()}`)
  }
  return JSON.parse(output) as Trial
}

// Starts the gate under test with what stands round it: an upstream, a bare proxy, an operator's key
// and two sessions opened through the public API, as `seconder session open` does.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GateClient } from '@seconder/cli/gate-client'
import { type AgentSession, openAgentSession } from '@seconder/cli/opening'
import { signerFor } from '@seconder/cli/signing'
import { generateEd25519KeyFile } from '@seconder/gateway/lib/ssh/private-key'
import { type Child, program } from './child.ts'
import type { Side } from './peers.ts'
import type { GateStart, GateStarted } from './start.ts'

/** The side that is measured has one core, and everything else the other. */
export const MEASURED_CORE = 0
export const OTHER_CORE = 1

const SESSION_MS = 60 * 60 * 1000

export interface UnderTest {
  readonly gate: Side
  readonly bare: Side
  readonly upstreamPort: number
  readonly load: Child
  /** Reads in production, writes in development. */
  readonly reads: AgentSession
  readonly writes: AgentSession
  stop(): Promise<void>
}

export async function startUnderTest(scratch: string): Promise<UnderTest> {
  const children: Child[] = []
  const start = (name: string, core: number) => {
    const child = program(name, core)
    children.push(child)
    return child
  }
  const stop = async () => {
    await Promise.all(children.map((child) => child.stop()))
  }
  try {
    const upstreamPort = await start('upstream', OTHER_CORE).ask<number>({})
    const bareChild = start('bare-proxy', MEASURED_CORE)
    const barePort = await bareChild.ask<number>({ upstreamPort })
    const key = join(scratch, 'operator')
    await generateEd25519KeyFile(key, 'alice')
    const publicKey = readFileSync(`${key}.pub`, 'utf8').trim()
    const gateChild = start('gate', MEASURED_CORE)
    const folder = join(scratch, 'gate')
    const began: GateStart = { folder, upstreamPort, publicKey }
    const { awsUrl, consoleUrl } = await gateChild.ask<GateStarted>(began)
    const client = new GateClient(consoleUrl)
    const open = async (role: string) =>
      openAgentSession(client, await signerFor(client, key), {
        role,
        agent: 'bench',
        lifetimeMs: SESSION_MS,
      })
    return {
      gate: { name: 'gate', port: Number(new URL(awsUrl).port), child: gateChild },
      bare: { name: 'bare Node proxy', port: barePort, child: bareChild },
      upstreamPort,
      load: start('load', OTHER_CORE),
      reads: await open('reads'),
      writes: await open('writes'),
      stop,
    }
  } catch (cause) {
    await stop()
    throw cause
  }
}

// Starts the gate as its own process, from a configuration and with the real keys in its environment
// alone, as `seconder serve` would be started on a machine of its own.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GateClient } from '@seconder/cli/gate-client'
import { verifyLedgerFolder } from '@seconder/cli/ledger-folder'
import type { AgentSession } from '@seconder/cli/opening'
import { signerFor } from '@seconder/cli/signing'
import { generateEd25519KeyFile } from '@seconder/gateway/lib/ssh/private-key'
import type { Cloud } from '../cloud/cloud.ts'
import { ACCOUNT, roleArn } from '../cloud/principal.ts'
import { startChild } from './child.ts'

const CLI = join(import.meta.dirname, '..', '..', '..', 'packages', 'cli', 'src', 'main.ts')
/** A held call answers soon, so that the story goes on with `held`; a real gate waits up to 20 s. */
const HOLD_MS = 300

export const OPERATOR = 'alice'
/** Both of sre. Deleting the stack takes two people other than the operator. */
export const REVIEWERS = ['bob', 'carol'] as const
export type ReviewerName = (typeof REVIEWERS)[number]

export interface GateOptions {
  readonly cloud: Cloud
  /** A folder of its own for configuration, keys, state and ledger. */
  readonly folder: string
  readonly policies: string
  /** How long a request stays open. */
  readonly expiresInMs: number
}

export interface DemoGate extends AsyncDisposable {
  readonly client: GateClient
  readonly consoleUrl: string
  readonly ledger: LedgerPlace
  /** Path of a reviewer's private key. */
  keyOf(reviewer: ReviewerName): string
  /** Ends with `child_failed` when the gate dies. */
  readonly ended: Promise<void>
  openSession(): Promise<AgentSession>
  /** Stops the gate and verifies its ledger from the files and the key it told at its start. */
  stopAndVerify(): Promise<LedgerFigures>
}

export interface LedgerFigures {
  readonly entries: number
  readonly verified: boolean
  readonly problems: readonly string[]
}

/** Where the gate keeps its ledger, and the key it told at its start. */
export interface LedgerPlace {
  readonly folder: string
  readonly verifierKey: string
}

interface GateAddresses {
  readonly awsUrl: string
  readonly consoleUrl: string
  readonly verifierKey: string
}

export async function startGate({
  cloud,
  folder,
  policies,
  expiresInMs,
}: GateOptions): Promise<DemoGate> {
  await mkdir(folder, { recursive: true })
  const people = []
  for (const name of [OPERATOR, ...REVIEWERS]) {
    await generateEd25519KeyFile(join(folder, name), name)
    const key = (await readFile(join(folder, `${name}.pub`), 'utf8')).trim()
    people.push({ name, teams: ['sre'], sshKeys: [key] })
  }
  const ledger = join(folder, 'ledger')
  const config = {
    listen: { aws: '127.0.0.1:0', console: '127.0.0.1:0' },
    state: `sqlite:${join(folder, 'state.db')}`,
    ledger,
    policies,
    upstream: { aws: { endpoint: cloud.endpoint, credentials: 'environment' } },
    environments: [{ name: 'production', accounts: [ACCOUNT], mode: 'enforce' }],
    roles: { deploy: { arn: roleArn('agent-deploy'), environments: ['production'] } },
    people,
    review: { holdMs: HOLD_MS, expiresInMs },
  }
  const file = join(folder, 'seconder.yaml')
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config, null, 2))
  const { accessKeyId, secretAccessKey } = cloud.credentials.gate
  const told = Promise.withResolvers<GateAddresses>()
  const child = startChild({
    name: 'gate',
    file: CLI,
    args: ['serve', '--config', file, '--json'],
    environment: { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey },
    onLine: (line) => told.resolve(JSON.parse(line) as GateAddresses),
  })
  child.ended.catch(told.reject)
  const { consoleUrl, verifierKey } = await told.promise
  const client = new GateClient(consoleUrl)
  // The narration reads as one of the reviewers; it signs nothing else.
  await signerFor(client, join(folder, REVIEWERS[0]))
  return {
    client,
    consoleUrl,
    ledger: { folder: ledger, verifierKey },
    keyOf: (reviewer) => join(folder, reviewer),
    ended: child.ended,
    openSession: () => openSession(consoleUrl, join(folder, OPERATOR)),
    stopAndVerify: async () => {
      await child[Symbol.asyncDispose]()
      const { report } = await verifyLedgerFolder(ledger, { key: verifierKey })
      const problems = report.problems.map((problem) => JSON.stringify(problem))
      return { entries: report.size, verified: report.ok, problems }
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}

/** The operator types `seconder session open`, as for every agent; the keys come sealed to that process. */
async function openSession(consoleUrl: string, sshKey: string): Promise<AgentSession> {
  const role = ['--role', 'deploy', '--agent', 'december', '--hours', '1']
  let answer = ''
  await using child = startChild({
    name: 'opening of a session',
    file: CLI,
    args: ['session', 'open', '--gate', consoleUrl, '--ssh-key', sshKey, ...role, '--json'],
    environment: {},
    onLine: (line) => {
      answer += line
    },
  })
  await child.ended
  return JSON.parse(answer) as AgentSession
}

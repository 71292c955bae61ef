// Whole-path tests: a real gate on a temporary folder with real SSH keys, driven through its two
// doors. `checkLedger` verifies the log from its files alone, as a stranger would.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { JsonObject } from '@seconder/aws/call'
import { GateClient, type SignedAct } from '@seconder/cli/gate-client'
import { verifyLedgerFolder } from '@seconder/cli/ledger-folder'
import { type Opening, openAgentSession } from '@seconder/cli/opening'
import { checkedRequest, signReview, type Verdict } from '@seconder/cli/reviewing'
import { SignedReading } from '@seconder/cli/sign-in'
import { keySigner, signerFor } from '@seconder/cli/signing'
import type { Config } from '@seconder/gateway/config'
import { canonicalJson } from '@seconder/gateway/lib/canonical-json'
import { systemClock } from '@seconder/gateway/lib/clock'
import { Secret } from '@seconder/gateway/lib/secret'
import { generateEd25519KeyFile } from '@seconder/gateway/lib/ssh/private-key'
import { type RunningGate, serve } from '@seconder/gateway/serve'
import { parsePostgresUrl } from '@seconder/gateway/state/postgres-address'
import { expect } from 'vitest'
import type { Authenticator, Twist } from '../fakes/authenticator.ts'
import { newState, published } from '../fakes/test-state.ts'
import { REAL_KEY } from '../fakes/upstream.ts'

const TEAMS = { alice: ['sre'], bob: ['sre'], carol: [] } as Readonly<
  Record<string, readonly string[]>
>
const ROOT = join(import.meta.dirname, '..', '..')
export const ACCOUNT = '123456789012'

export interface HarnessOptions {
  readonly upstream: string
  /** The real key of the upstream; default: that of the fake one. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** The role of `deploy`, lent by the upstream's STS for each call; default: nothing is lent. */
  readonly lentRole?: string
  /** Roles beside `deploy`. */
  readonly roles?: Config['roles']
  readonly environments?: Config['environments']
  readonly holdMs?: number
  readonly expiresInMs?: number
  /** How what was accepted is followed; default: as configured by default, too slow for a test to see. */
  readonly follow?: Config['follow']
  /** Whom requests are told to. */
  readonly notify?: Config['notify']
  readonly traces?: Config['traces']
  readonly limits?: Config['limits']
  /** What its log is given to; default: errors alone, on standard error. */
  readonly log?: Config['log']
  /** Who cosigns the ledger, and whether what was reviewed waits for them. */
  readonly witnesses?: Config['witnesses']
  /** Where the ledger's files are instead of a folder; only where the state is on PostgreSQL. */
  readonly ledgerBucket?: Config['ledgerBucket']
  /** How old payloads beside the ledger become. */
  readonly retention?: Config['retention']
  /** What the gate measures of its callers; default: what is so. */
  readonly isolation?: () => 'user' | 'none'
  /** Environments that each role reaches; default: no file, so every role reaches production. */
  readonly roleReach?: Readonly<Record<string, readonly string[]>>
  /** Folder under the repository; the lab set accepts one user and software keys. */
  readonly policies?: string
  /** Members who have a passkey beside their SSH key. */
  readonly passkeys?: Readonly<Record<string, Authenticator>>
  /** The members and their teams; default: alice and bob of sre, carol of none. */
  readonly teams?: Readonly<Record<string, readonly string[]>>
  /** Limits of bodies on the disk. */
  readonly uploads?: Config['uploads']
  readonly breakGlass?: boolean
  readonly timeoutMs?: number
  /** Short, so that a test about a silent upstream ends soon. */
  readonly drainMs?: number
  readonly totalTimeoutMs?: number
}

export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionId: string
  readonly endpoint: string
}

export class Harness {
  readonly folder = mkdtempSync(join(tmpdir(), 'seconder-test-'))
  readonly keys = new Map<string, string>()
  readonly options: HarnessOptions
  running!: RunningGate
  #reading: SignedReading | null = null
  /** The URL of its PostgreSQL; null where its state is a file. */
  #state: string | null = null
  /** Chosen by the system at the first start and kept, so that signed requests stay valid. */
  #ports = { aws: 0, console: 0 }

  private constructor(options: HarnessOptions) {
    this.options = options
  }

  /** A gate with alice and bob of sre, carol of nobody, and the role `deploy`. */
  static async start(options: HarnessOptions): Promise<Harness> {
    const harness = new Harness(options)
    for (const name of Object.keys(options.teams ?? TEAMS)) {
      const path = join(harness.folder, name)
      await generateEd25519KeyFile(path, name)
      harness.keys.set(name, path)
    }
    await harness.restart()
    return harness
  }

  config(): Config {
    const {
      upstream,
      environments,
      holdMs = 0,
      expiresInMs = 60_000,
      policies = 'lab/policies',
      uploads,
      totalTimeoutMs,
    } = this.options
    const credentials = this.options.credentials ?? REAL_KEY
    const roleReachPath = this.#roleReach()
    const members = this.options.teams ?? TEAMS
    const people = [...this.keys].map(([name, path]) => ({
      name,
      teams: [...(members[name] ?? ['sre'])],
      sshKeys: [
        readFileSync(`${path}.pub`, 'utf8').trim(),
        ...(this.options.passkeys?.[name] ? [this.options.passkeys[name].line()] : []),
      ],
    }))
    return {
      listen: {
        aws: { host: '127.0.0.1', port: this.#ports.aws },
        console: { host: '127.0.0.1', port: this.#ports.console },
      },
      statePath: join(this.folder, 'state', 'state.db'),
      ...(this.#state && { database: parsePostgresUrl(this.#state) }),
      ledgerDirectory: join(this.folder, 'ledger'),
      policiesDirectory: resolve(ROOT, policies),
      upstream: {
        endpoint: upstream,
        // Long, so that a machine that stands still for a while fails no test; those about time-outs set their own.
        timeoutMs: this.options.timeoutMs ?? 60_000,
        ...(totalTimeoutMs && { totalTimeoutMs }),
        assumeRole: this.options.lentRole !== undefined,
        credentials: {
          accessKeyId: credentials.accessKeyId,
          secretAccessKey: new Secret(credentials.secretAccessKey),
          sessionToken: null,
        },
      },
      environments: environments ?? [{ name: 'production', accounts: [ACCOUNT], mode: 'enforce' }],
      ...(roleReachPath && { roleReachPath }),
      roles: {
        deploy: { arn: this.options.lentRole ?? `arn:aws:iam::${ACCOUNT}:role/agent-deploy` },
        ...this.options.roles,
      },
      people,
      ...(uploads && { uploads }),
      drainMs: this.options.drainMs ?? 2_000,
      review: {
        holdMs,
        expiresInMs,
        grantExpiresInMs: 60_000,
        breakGlass: this.options.breakGlass ?? false,
      },
      ...(this.options.follow && { follow: this.options.follow }),
      ...(this.options.limits && { limits: this.options.limits }),
      ...(this.options.traces && { traces: this.options.traces }),
      log: this.options.log ?? { format: 'text', level: 'error' },
      ...(this.options.notify && { notify: this.options.notify }),
      ...(this.options.witnesses && { witnesses: this.options.witnesses }),
      ...(this.options.ledgerBucket && { ledgerBucket: this.options.ledgerBucket }),
      ...(this.options.retention && { retention: this.options.retention }),
    }
  }

  #roleReach(): string | undefined {
    const { roleReach } = this.options
    if (roleReach === undefined) return undefined
    const path = join(this.folder, 'role-reach.json')
    const rows = Object.entries(roleReach).map(([arn, environments]) => [arn, { environments }])
    writeFileSync(path, JSON.stringify({ version: 1, roles: Object.fromEntries(rows) }))
    return path
  }

  async restart(changes: Partial<Config> = {}): Promise<void> {
    const { isolation } = this.options
    // Whoever removed the folder of the state wants a new one.
    if (!existsSync(join(this.folder, 'state'))) this.#state = await newState()
    const config = { ...this.config(), ...changes }
    this.running = await (isolation ? serve(config, systemClock(), isolation) : serve(config))
    const portOf = (url: string) => Number(new URL(url).port)
    this.#reading ??= new SignedReading(keySigner([...this.keys.values()].at(-1) ?? ''))
    await this.#reading.headers(this.client, true).catch(() => undefined) // they may be nobody there
    this.#ports = { aws: portOf(this.running.awsUrl), console: portOf(this.running.consoleUrl) }
  }

  /** Stops and starts the gate on the same state, as a deploy or a crash would. */
  async restartSame(): Promise<void> {
    await this.running.close()
    await this.checkLedger()
    await this.restart()
  }

  /** The same with another policy folder on disk. */
  async restartWith(policiesDirectory: string): Promise<void> {
    await this.running.close()
    await this.restart({ policiesDirectory })
  }

  /** Bodies and bytes that the gate holds on its disk. */
  spool(): { readonly files: number; readonly bytes: number } {
    return this.running.spooled()
  }

  /** Reads as the last of the members, who signed in when the gate started. */
  get client(): GateClient {
    return new GateClient(this.running.consoleUrl, this.#reading)
  }

  /** What says that carol reads, for clients of other kinds. */
  async readerHeaders(): Promise<Record<string, string>> {
    return { ...(await this.#reading?.headers(this.client, false)) }
  }

  /** Opens a session for an operator, as `seconder session open` does. */
  async open(
    operator: string,
    agent = 'test-agent',
    sent: Pick<Opening, 'task' | 'instigators'> = {},
  ): Promise<Keys> {
    const signer = await signerFor(this.client, this.keys.get(operator))
    const opening = { role: 'deploy', agent, lifetimeMs: 3_600_000, ...sent }
    return openAgentSession(this.client, signer, opening)
  }

  dynamodb({ accessKeyId, secretAccessKey, endpoint }: Keys): DynamoDBClient {
    return new DynamoDBClient({
      endpoint,
      region: 'eu-west-1',
      credentials: { accessKeyId, secretAccessKey },
    })
  }

  /** Signs a verdict with this person's key, as `seconder approve` and its siblings do. */
  async review(reviewer: string, requestId: string, verdict: Verdict = 'approve', comment = '') {
    const signer = await signerFor(this.client, this.keys.get(reviewer))
    const checked = await checkedRequest(this.client, requestId)
    return signReview(this.client, signer, checked, { verdict, comment })
  }

  /** Signs any statement with a person's key: what a malicious client would send. */
  async act(person: string, statement: JsonObject, namespace: string): Promise<SignedAct> {
    return (await signerFor(this.client, this.keys.get(person))).sign(statement, namespace)
  }

  /** The same by a passkey, as a page of the console does; `twist` is what is wrong with it. */
  async assert(authenticator: Authenticator, statement: JsonObject, twist: Twist = {}) {
    const { rpId, origins } = (await this.client.facts()).relyingParty
    const text = canonicalJson(statement)
    const rp = { rpId, origin: origins[0] ?? '' }
    return { statement: text, assertion: authenticator.get(text, rp, twist) }
  }

  /** Entries of the ledger, in order. */
  async entries(): Promise<readonly Record<string, unknown>[]> {
    const { entries } = await this.checkLedger()
    return entries
  }

  /** Verifies the ledger from its files and public key, and returns what it holds. */
  async checkLedger(): Promise<{ entries: readonly Record<string, unknown>[] }> {
    if (this.#state !== null) await published(this.#state)
    const folder = join(this.folder, 'ledger')
    const place = this.options.ledgerBucket?.address ?? folder
    const { report, entries } = await verifyLedgerFolder(place, { key: `${folder}.vkey` })
    expect(report.problems).toEqual([])
    expect(report.ok).toBe(true)
    return { entries }
  }

  async stop(): Promise<void> {
    await this.running.close()
    await this.checkLedger()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The request id in a refusal's message. */
export function requestIdIn(error: unknown): string {
  const id = /\br-[0-9a-z]{26}\b/.exec(String((error as Error).message))?.[0]
  if (!id) throw new Error(`no request id in: ${String(error)}`)
  return id
}

// A gate as its own process, as people run it, so that a test can kill it with SIGKILL and start it
// again on the same state. Ports, people and session keys stay the same over restarts.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { GateClient } from '@seconder/cli/gate-client'
import { type LedgerEntry, verifyLedgerFolder } from '@seconder/cli/ledger-folder'
import { openAgentSession } from '@seconder/cli/opening'
import { checkedRequest, signReview } from '@seconder/cli/reviewing'
import { SignedReading } from '@seconder/cli/sign-in'
import { keySigner, signerFor } from '@seconder/cli/signing'
import { signWithdrawal } from '@seconder/cli/withdrawing'
import { generateEd25519KeyFile } from '@seconder/gateway/lib/ssh/private-key'
import { COMPILED } from '../compiled.ts'
import { newState } from './test-state.ts'
import { REAL_KEY } from './upstream.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const START_MS_MAX = 180_000
const LOOKS_MAX = 5

export interface GateProcessOptions {
  /** The URL of a PostgreSQL; default: a state of its own in a file. */
  readonly state?: string
  /** Whose people, ledger and policies it has: one that shares the state. */
  readonly like?: GateProcess
  readonly people?: readonly string[]
  /** Folder of the policies; default: those of the lab. */
  readonly policies?: string
  /** How long a call is held; default: not at all. */
  readonly holdMs?: number
  /** Further lines of its seconder.yaml. */
  readonly more?: readonly string[]
}

export class GateProcess {
  readonly folder = mkdtempSync(join(tmpdir(), 'seconder-crash-'))
  readonly #options: GateProcessOptions
  readonly ledger: string
  notices: readonly string[] = []
  metricsUrl: string | null = null
  /** What it said on its standard error. */
  words = ''
  #child: ChildProcess | null = null
  #exited: Promise<unknown> = Promise.resolve()
  #awsUrl = ''
  #lines: readonly string[] = []
  #consoleUrl = ''
  #reading: SignedReading | null = null

  private constructor(options: GateProcessOptions) {
    this.#options = options
    this.ledger = options.like?.ledger ?? join(this.folder, 'ledger')
  }

  /** Writes keys and configuration; `start` starts it. */
  static async create(upstreamUrl: string, options: GateProcessOptions = {}): Promise<GateProcess> {
    const gate = new GateProcess(options)
    const state = options.state ?? (await newState())
    const people: string[] = []
    for (const name of options.people ??
      (options.like ?? gate).#options.people ?? ['alice', 'bob']) {
      if (!options.like) await generateEd25519KeyFile(gate.key(name), name)
      const line = readFileSync(`${gate.key(name)}.pub`, 'utf8').trim()
      people.push(`  - { name: ${name}, teams: [sre], sshKeys: ["${line}"] }`)
    }
    const lines = [
      'listen: { aws: "127.0.0.1:0", console: "127.0.0.1:0" }',
      `state: ${JSON.stringify(state ?? 'sqlite:state/state.db')}`,
      'local: state',
      `ledger: ${JSON.stringify(gate.ledger)}`,
      `policies: ${JSON.stringify(options.policies ?? join(ROOT, 'lab', 'policies'))}`,
      `upstream: { aws: { endpoint: "${upstreamUrl}", timeoutMs: 5000 } }`,
      'environments: [{ name: production, accounts: ["123456789012"] }]',
      'roles: { deploy: { arn: "arn:aws:iam::123456789012:role/agent-deploy" } }',
      `review: { holdMs: ${options.holdMs ?? 0}, expiresInMs: 300000, grantExpiresInMs: 300000 }`,
      'people:',
      ...people,
    ]
    gate.#lines = lines
    gate.configure(options.more ?? [])
    return gate
  }

  /** Writes its seconder.yaml again, with these lines beside those that it always has. */
  configure(more: readonly string[], change = (line: string) => line): void {
    const lines = [...this.#lines.map(change), ...more]
    writeFileSync(this.#config, `${lines.join('\n')}\n`)
  }

  /** Tells it to read its seconder.yaml again. */
  hangUp(): void {
    this.#child?.kill('SIGHUP')
  }

  get #config(): string {
    return join(this.folder, 'seconder.yaml')
  }

  key(person: string): string {
    return join((this.#options.like ?? this).folder, person)
  }

  /** Of the AWS door. */
  get endpoint(): string {
    return this.#awsUrl
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get exitCode(): number | null {
    return this.#child?.exitCode ?? null
  }

  /** Whether its process runs. */
  get runs(): boolean {
    const { exitCode, signalCode } = this.#child ?? { exitCode: 0, signalCode: null }
    return exitCode === null && signalCode === null
  }

  /** Reads as bob. */
  get client(): GateClient {
    this.#reading ??= new SignedReading(keySigner(this.key('bob')))
    return new GateClient(this.#consoleUrl, this.#reading)
  }

  /** Starts the process without waiting until it listens. */
  spawn(): ChildProcess {
    const main = join(ROOT, 'packages', 'cli', 'src', 'main.ts')
    const env = {
      PATH: process.env['PATH'],
      ...COMPILED,
      AWS_ACCESS_KEY_ID: REAL_KEY.accessKeyId,
      AWS_SECRET_ACCESS_KEY: REAL_KEY.secretAccessKey,
      ...(this.#awsUrl !== '' && {
        SECONDER_LISTEN_AWS: new URL(this.#awsUrl).host,
        SECONDER_LISTEN_CONSOLE: new URL(this.#consoleUrl).host,
      }),
    }
    const child = spawn(process.execPath, [main, 'serve', '--config', this.#config, '--json'], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    this.#exited = once(child, 'exit')
    return child
  }

  /** Starts the gate and resolves when it listens. Throws with its own words when it does not. */
  async start(): Promise<void> {
    const child = this.spawn()
    this.words = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      this.words += chunk.toString()
    })
    const line = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('the gate did not start')), START_MS_MAX)
      if (!child.stdout) throw new Error('no standard output')
      createInterface(child.stdout).once('line', (text) => {
        clearTimeout(timer)
        resolve(text)
      })
      child.once('exit', (code) => reject(new Error(`the gate ended with ${code}: ${this.words}`)))
    })
    const said = JSON.parse(line) as {
      awsUrl: string
      consoleUrl: string
      metricsUrl: string | null
      notices: string[]
    }
    this.#awsUrl = said.awsUrl
    this.#consoleUrl = said.consoleUrl
    this.metricsUrl = said.metricsUrl
    this.notices = said.notices
  }

  /** `kill -9`, at once; `gone` says when it is over. */
  kill(): void {
    this.#child?.kill('SIGKILL')
  }

  /** The most memory it ever had, in bytes. Source: proc_pid_status(5), VmHWM. */
  peakBytes(): number {
    const status = readFileSync(`/proc/${this.#child?.pid}/status`, 'utf8')
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
  }

  async gone(): Promise<void> {
    await this.#exited
  }

  async open(operator: string) {
    const signer = await signerFor(this.client, this.key(operator))
    const opening = { role: 'deploy', agent: 'test-agent', lifetimeMs: 3_600_000 }
    return openAgentSession(this.client, signer, opening)
  }

  async approve(reviewer: string, requestId: string) {
    const signer = await signerFor(this.client, this.key(reviewer))
    const checked = await checkedRequest(this.client, requestId)
    return signReview(this.client, signer, checked, { verdict: 'approve', comment: '' })
  }

  async withdraw(operator: string, requestId: string) {
    const signer = await signerFor(this.client, this.key(operator))
    return signWithdrawal(this.client, signer, { requestId, takes: 'cancel', comment: '' })
  }

  /**
   * What a stranger finds in the ledger's files. Of a gate that runs, files may be replaced between two
   * reads of one verification, so there it looks again; of one that is gone, the first look counts.
   */
  async verified(): Promise<readonly LedgerEntry[]> {
    for (let looks = 1; ; looks++) {
      const { report, entries } = await verifyLedgerFolder(this.ledger)
      if (report.ok) return entries
      if (!this.runs || looks === LOOKS_MAX) throw new Error(JSON.stringify(report.problems))
    }
  }

  /** Stops it as an operator does, and waits for its end. */
  async stop(): Promise<void> {
    if (this.runs) this.#child?.kill('SIGTERM')
    await this.gone()
  }

  async remove(): Promise<void> {
    this.kill()
    await this.gone()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

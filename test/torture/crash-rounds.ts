// One round: an agent and a reviewer at work on a gate whose machine breaks at a seeded step, then the next
// start on what the disk had. What the ledger says is held against the upstream's own count and every answer.
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type LedgerEntry, verifyLedgerFolder } from '@seconder/cli/ledger-folder'
import type { Clock } from '@seconder/gateway/lib/clock'
import { serve } from '@seconder/gateway/serve'
import { expect } from 'vitest'
import { defaultScript, type FakeUpstream, REAL_KEY } from '../fakes/upstream.ts'
import { Harness, type Keys } from '../path/harness.ts'
import { dynamodbCall, type RawAnswer, rawCall } from '../path/wire.ts'
import { FAULTS, type Fault, Machine, standOn } from './broken-machine.ts'
import { pick, type Random, randomOf } from './random.ts'

/** Steps of the work of one round; a fault past the last of them never comes, and the gate is killed at the end. */
const STEPS_MAX = 100
const RECOVERY_STEPS_MAX = 25
const UPSTREAM_CALLS_MAX = 12
/** The people sign by a sound clock; a statement of theirs is good for five minutes. */
const MINUTE_MS = 60_000
const REQUEST = /\br-[0-9a-z]{26}\b/

const deleteTable = (name: string) => dynamodbCall('DeleteTable', { TableName: name })

/** A clock of the machine, which may go back. */
class SkewedClock implements Clock {
  skewMs = 0
  nowMs(): number {
    return Date.now() + this.skewMs
  }
}

interface Told {
  readonly requests: Set<string>
  readonly grants: Set<string>
  readonly deleted: Set<string>
  reads: number
}

interface Round {
  readonly words: string
  readonly random: Random
  readonly told: Told
  readonly tables: readonly string[]
  readonly keys: Keys
}

export interface Counts {
  rounds: number
  /** Whose fault came while the work went on. */
  broken: number
  deleted: number
  refused: number
  unanswered: number
  /** Effects whose outcome nobody knows. */
  unknown: number
  readonly faults: Record<string, number>
}

export class CrashRounds {
  readonly counts: Counts = {
    rounds: 0,
    broken: 0,
    deleted: 0,
    refused: 0,
    unanswered: 0,
    unknown: 0,
    faults: {},
  }
  readonly #seed: number
  readonly #upstream: FakeUpstream
  readonly #gate: Harness
  #machine: Machine
  #clock = new SkewedClock()
  #skewMs = 0
  #readsTold = 0

  private constructor(seed: number, upstream: FakeUpstream, gate: Harness) {
    this.#seed = seed
    this.#upstream = upstream
    this.#gate = gate
    this.#machine = new Machine(gate.folder, Math.random)
  }

  static async start(seed: number, upstream: FakeUpstream): Promise<CrashRounds> {
    const gate = await Harness.start({ upstream: upstream.url, timeoutMs: 10_000 })
    await gate.running.close()
    const rounds = new CrashRounds(seed, upstream, gate)
    await rounds.#startAgain(Math.random)
    return rounds
  }

  /** Number `round` of the seed. Fails where an invariant is broken. */
  async run(round: number): Promise<void> {
    const random = randomOf(this.#seed, round)
    const fault: Fault = pick(FAULTS, random)
    const at = 1 + Math.floor(random() * STEPS_MAX)
    const words = `seed ${this.#seed} round ${round}: ${fault} at step ${at}`
    const tables = [`a-${round}`, `b-${round}`]
    const told: Told = { requests: new Set(), grants: new Set(), deleted: new Set(), reads: 0 }
    const keys = await this.#gate.open('alice')
    const now: Round = { words, random, told, tables, keys }
    this.#breakUpstream(random)
    this.#machine.breakAt(fault, at)
    await Promise.all(tables.map((table) => this.#work(now, table)))
    this.#upstream.script = defaultScript
    if (this.#machine.hasBroken) this.counts.broken++
    const left = await this.#afterDeath(words)
    if (random() < 0.2) await this.#dieAgain(random)
    await this.#requireClock(words)
    await this.#startAgain(random)
    await this.#check(now, left)
    this.counts.rounds++
    this.counts.deleted += told.deleted.size
    this.counts.faults[fault] = (this.counts.faults[fault] ?? 0) + 1
  }

  /** On a machine that is sound until it is broken; `spoil` may do so before the start. */
  async #startAgain(random: Random, spoil?: (machine: Machine) => void): Promise<void> {
    this.#machine = new Machine(this.#gate.folder, random)
    standOn(this.#machine)
    spoil?.(this.#machine)
    this.#clock = new SkewedClock()
    this.#clock.skewMs = this.#skewMs
    this.#gate.running = await serve(this.#gate.config(), this.#clock)
  }

  /** Cut off at one of the next calls, look-up or effect; before or after it did something. */
  #breakUpstream(random: Random): void {
    const at = random() < 0.3 ? Math.floor(random() * UPSTREAM_CALLS_MAX) : -1
    let calls = 0
    this.#upstream.script = (seen) => (calls++ === at ? 'silence' : defaultScript(seen))
  }

  async #work({ words, random, told, keys }: Round, table: string): Promise<void> {
    const call = (ageMs = 0) =>
      this.#answered(words, keys, { ...deleteTable(table), signedAtMs: this.#nowMs() - ageMs })
    const reads = { ...dynamodbCall('ListTables', {}), signedAtMs: this.#nowMs() }
    if ((await this.#answered(words, keys, reads))?.status === 200) told.reads++
    const id = REQUEST.exec((await call())?.body ?? '')?.[0]
    if (id === undefined) return
    told.requests.add(id)
    const jumps = random() < 0.15
    if (jumps) this.#skewMs = Math.floor((random() - 0.5) * 8 * MINUTE_MS)
    this.#clock.skewMs = this.#skewMs
    const said = await this.#gate.review('bob', id).catch(() => null)
    if (said?.state === 'approved') told.grants.add(id)
    for (const answer of await Promise.all([call(), call(3_000)])) {
      if (answer?.status === 200) told.deleted.add(table)
    }
  }

  #nowMs(): number {
    return Date.now() + this.#skewMs
  }

  /** The answer, which is clean; null where there was none. */
  async #answered(words: string, keys: Keys, call: ReturnType<typeof deleteTable>) {
    const answer: RawAnswer | null = await rawCall(keys, call).catch(() => null)
    if (answer === null) this.counts.unanswered++
    else if (answer.status !== 200) {
      this.counts.refused++
      expect(answer.body, `${words}: a refusal says why`).toMatch(/"message":"[^"]{10}/i)
      expect(answer.body, words).not.toMatch(
        / {4}at |errcode|SQLITE|ENOSPC|EIO|the machine is dead/,
      )
      expect(answer.body.includes(REAL_KEY.secretAccessKey), words).toBe(false)
    }
    return answer
  }

  /** Ends the dead gate and gives its folder what the disk had; returns what a stranger reads there. */
  async #afterDeath(words: string): Promise<readonly LedgerEntry[]> {
    const image = await this.#machine.image()
    const { running, folder } = this.#gate
    await running.close().catch(() => running.gate.store.close().catch(() => undefined))
    for (const part of ['state', 'ledger']) {
      rmSync(join(folder, part), { recursive: true, force: true })
      cpSync(join(image, part), join(folder, part), { recursive: true })
    }
    return await this.#verified(`${words}: as it was left`)
  }

  async #verified(words: string): Promise<readonly LedgerEntry[]> {
    const { report, entries } = await verifyLedgerFolder(join(this.#gate.folder, 'ledger'))
    expect(report.problems, words).toEqual([])
    return entries
  }

  /** Killed once more, at a step of the recovery. */
  async #dieAgain(random: Random): Promise<void> {
    const at = 1 + Math.floor(random() * RECOVERY_STEPS_MAX)
    const fault = pick<Fault>(['kill-before', 'kill-after', 'torn', 'power'], random)
    await this.#startAgain(random, (machine) => machine.breakAt(fault, at)).catch(() => undefined)
    await this.#afterDeath('killed at the start')
  }

  /** A clock that is behind the ledger by more than it may be starts no gate. */
  async #requireClock(words: string): Promise<void> {
    const { folder } = this.#gate
    const entries = (await verifyLedgerFolder(join(folder, 'ledger'))).entries
    const lastMs = Date.parse(entries.at(-1)?.at ?? '')
    if (lastMs - this.#nowMs() < 5_000) return
    const started = this.#startAgain(Math.random)
    await expect(started, `${words}: the clock is behind`).rejects.toMatchObject({
      code: 'clock_behind',
    })
    this.#skewMs = lastMs - Date.now()
  }

  #deletionsOf(table: string): number {
    return this.#upstream.seen.filter(
      ({ operation, request }) =>
        operation === 'DeleteTable' &&
        Buffer.from(request.body).toString() === JSON.stringify({ TableName: table }),
    ).length
  }

  async #check({ words, told, tables, keys }: Round, left: readonly LedgerEntry[]): Promise<void> {
    for (const table of tables) {
      if (this.#deletionsOf(table) > 0) {
        expect(intentsOf(left, table).length, `${words}: ${table} without a durable intent`).toBe(1)
      }
      // Whoever asks again gets the grant that is left, or a new request; never a second use.
      const again = { ...deleteTable(table), signedAtMs: this.#nowMs() - 1_000 }
      const answer = await this.#answered(words, keys, again)
      if (answer?.status === 200) expect(told.requests.size, words).toBeGreaterThan(0)
    }
    const entries = await this.#verified(`${words}: after the start`)
    expect(entries.slice(0, left.length), `${words}: an entry was lost`).toEqual(left)
    const requestsOf = (type: string) =>
      new Set(left.filter((entry) => entry.type === type).map(({ request }) => request))
    const [opened, granted] = [requestsOf('request-opened'), requestsOf('grant-made')]
    for (const id of told.requests) expect(opened.has(id), `${words}: ${id} not opened`).toBe(true)
    for (const id of told.grants) expect(granted.has(id), `${words}: ${id} not granted`).toBe(true)
    for (const table of told.deleted) expect(this.#deletionsOf(table), `${words}: ${table}`).toBe(1)
    for (const table of tables) {
      const count = this.#deletionsOf(table)
      expect(count, `${words}: ${table} deleted twice`).toBeLessThanOrEqual(1)
      expect(count, words).toBeLessThanOrEqual(intentsOf(entries, table).length)
    }
    this.#readsTold += told.reads
    const reads = entries.filter(({ type }) => type === 'read').length
    expect(reads, `${words}: an answer without an entry`).toBeGreaterThanOrEqual(this.#readsTold)
    expectSound(entries, words)
  }

  async remove(): Promise<void> {
    await this.#gate.running.close().catch(() => undefined)
    const entries = await this.#verified('at the end')
    this.counts.unknown = entries.filter(
      ({ type, outcome }) =>
        type === 'outcome' && (outcome as { result: string }).result === 'unknown',
    ).length
    rmSync(this.#gate.folder, { recursive: true, force: true })
  }
}

function intentsOf(entries: readonly LedgerEntry[], table: string): LedgerEntry[] {
  const arn = `arn:aws:dynamodb:eu-west-1:123456789012:table/${table}`
  return entries.filter(
    (entry) => entry.type === 'intent' && (entry['resources'] as string[]).includes(arn),
  )
}

/** Each intent has a grant that was made before it, for itself alone, and one outcome after it. */
function expectSound(entries: readonly LedgerEntry[], words: string): void {
  const made = new Set<unknown>()
  const used = new Set<unknown>()
  const open = new Set<unknown>()
  for (const entry of entries) {
    if (entry.type === 'grant-made') made.add(entry['grant'])
    if (entry.type === 'outcome') open.delete(entry['effect'])
    if (entry.type !== 'intent') continue
    expect(made.has(entry['grant']), `${words}: an intent before its grant`).toBe(true)
    expect(used.has(entry['grant']), `${words}: a grant has two intents`).toBe(false)
    used.add(entry['grant'])
    open.add(entry['effect'])
  }
  expect([...open], `${words}: an intent without outcome`).toEqual([])
}

// Drives gateways that are killed and started again while racing retries use up grants: each round of one
// table approves its request, races for the grant over all gateways, and accounts for every answer.
import { randomUUID } from 'node:crypto'
import type { LedgerEntry } from '@seconder/cli/ledger-folder'
import { GateProcess } from '../fakes/gate-process.ts'
import { defaultScript, type FakeUpstream } from '../fakes/upstream.ts'
import { WIDE_LIMITS_LINE } from '../fakes/wide-limits.ts'
import { idIn } from '../path/acts.ts'
import type { Keys } from '../path/harness.ts'
import { dynamodbCall, type RawAnswer, rawCall } from '../path/wire.ts'
import { randomOf } from './random.ts'

export interface StormOptions {
  readonly upstream: FakeUpstream
  /** A PostgreSQL that all share; null: one gateway on SQLite. */
  readonly state: string | null
  readonly gateways: number
  readonly tables: number
  /** Grants in all. */
  readonly grants: number
  readonly retries: number
  /** Between two kills, in milliseconds. */
  readonly killMs: number
  readonly seed: number
  readonly untilMs: number
}

export interface Counts {
  grants: number
  answers: number
  kills: number
  /** Gateways that ended by themselves, since the others declared them dead. */
  ended: number
  /** Rounds by what became of their grant. */
  executed: number
  unknownExecuted: number
  unknownNotExecuted: number
  /** The upstream was not reached, or refused it: nothing was done, and the grant is used. */
  failed: number
  usedUp: number
  revoked: number
  /** Answers by kind. */
  readonly kinds: Map<string, number>
  readonly findings: string[]
}

/** A busy machine may take longer to start a gateway than it is left alone. */
const WAIT_MS_MAX = 600_000
/** What an answer may be. Anything else is a finding. */
const KINDS: readonly (readonly [string, RegExp])[] = [
  ['held', /Seconder held this call, nothing was done/],
  ['not looked', /could not look again before the effect, so it did nothing/],
  // It was asked for while the gate was too busy to look, so what was signed is not what is there.
  ['changed', /has changed since it was approved; nothing was done/],
  ['used', /the approval of this call was already used or has ended/],
  ['not reached', /could not reach the upstream; nothing was done/],
  ['not told', /could not be recorded|outcome is unknown|did not answer|no answer/i],
  ['busy', /state database|the ledger|another gateway is busy|declared/i],
]

export class Storm {
  readonly #options: StormOptions
  readonly #gates: GateProcess[] = []
  /** Those that listen, as a balancer knows it: one that is killed now is found out by its callers. */
  readonly #up = new Set<GateProcess>()
  #racing: Promise<unknown> = Promise.resolve()
  readonly #effects = new Map<string, number>()
  readonly #random: () => number
  readonly counts: Counts = {
    ...{ grants: 0, answers: 0, kills: 0, ended: 0 },
    ...{ executed: 0, unknownExecuted: 0, unknownNotExecuted: 0, failed: 0, usedUp: 0, revoked: 0 },
    kinds: new Map(),
    findings: [],
  }
  readonly #over = Promise.withResolvers<void>()
  #isOver = false

  constructor(options: StormOptions) {
    this.#options = options
    this.#random = randomOf(options.seed, 0)
    void this.#over.promise.then(() => {
      this.#isOver = true
    })
    // Every deletion is counted by its table; the rest is looked at by nobody.
    options.upstream.script = (seen) => {
      options.upstream.seen.length = 0
      if (seen.operation === 'DeleteTable') {
        const { TableName } = JSON.parse(Buffer.from(seen.request.body).toString())
        this.#effects.set(TableName, this.#effectsOf(TableName) + 1)
      }
      return defaultScript(seen)
    }
  }

  #effectsOf(table: string): number {
    return this.#effects.get(table) ?? 0
  }

  #find(words: string): void {
    if (this.counts.findings.length < 20) this.counts.findings.push(words)
  }

  /** Runs all rounds; what was found is in `counts`. Returns what the ledger has at the end. */
  async run(): Promise<readonly LedgerEntry[]> {
    const { upstream, state, gateways, tables } = this.#options
    const people = ['bob', ...Array.from({ length: tables }, (_, table) => `op-${table}`)]
    for (let made = 0; made < gateways; made++) {
      const like = this.#gates[0]
      const more = [WIDE_LIMITS_LINE]
      const options = { people, more, ...(state !== null && { state }), ...(like && { like }) }
      this.#gates.push(await GateProcess.create(upstream.url, options))
    }
    // Stopped in order once, it leaves its compiled modules to all that start later: kills come thick.
    await this.#gates[0]?.start()
    await this.#gates[0]?.stop()
    await Promise.all(this.#gates.map((gate) => gate.start()))
    for (const gate of this.#gates) this.#up.add(gate)
    const killing = this.#kill()
    const rounds = Array.from({ length: tables }, (_, table) => this.#rounds(table))
    await Promise.all(rounds).finally(() => this.#over.resolve())
    await killing
    return this.#ended()
  }

  async #kill(): Promise<void> {
    const { killMs } = this.#options
    while (!this.#isOver) {
      await Promise.race([pause(killMs * (0.5 + this.#random())), this.#over.promise])
      const gate = this.#gates[Math.floor(this.#random() * this.#gates.length)]
      if (this.#isOver || !gate) continue
      this.#up.delete(gate)
      // One that the others declared dead ended by itself: whoever watches over it starts it again.
      if (gate.runs) this.counts.kills += 1
      else this.counts.ended += 1
      gate.kill()
      await gate.gone()
      await gate.start().catch((cause: Error) => this.#find(cause.message))
      this.#up.add(gate)
    }
  }

  /** One gateway after another, from a random one on, until one of them does it. */
  async #atSome<T>(what: string, act: (gate: GateProcess) => Promise<T>): Promise<T> {
    const untilMs = Date.now() + WAIT_MS_MAX
    let last: unknown
    for (let turn = Math.floor(this.#random() * 100); Date.now() < untilMs; turn++) {
      const gate = this.#gates[turn % this.#gates.length]
      if (gate && this.#up.has(gate)) {
        try {
          return await act(gate)
        } catch (cause) {
          last = cause
        }
      }
      await pause(100)
    }
    throw new Error(`${what}: ${last instanceof Error ? last.message : last}`)
  }

  async #rounds(table: number): Promise<void> {
    const { grants, tables, untilMs } = this.#options
    const name = `table-${table}`
    const operator = `op-${table}`
    const keys = await this.#atSome('no session', (gate) => gate.open(operator))
    let request = await this.#pending(keys, name)
    const wanted = Math.ceil(grants / tables)
    for (let round = 0; round < wanted; round++) {
      const isOver = Date.now() > untilMs || this.counts.findings.length > 0
      if (isOver || this.counts.grants >= grants) return
      this.counts.grants += 1
      if (this.counts.grants % 50 === 0) {
        const { grants: so, answers, kills } = this.counts
        process.stdout.write(`torture: ${so} grants, ${answers} answers, ${kills} kills\n`)
      }
      request = await this.#round(keys, name, await this.#lookedAt(keys, name, request))
    }
  }

  /** The request that the next call for this table waits for. */
  async #pending(keys: Keys, name: string, notThis?: string): Promise<string> {
    return this.#atSome(`nothing is held for ${name}`, async (gate) => {
      const answer = await this.#call(gate, keys, name)
      const id = answer && this.#kindOf(answer) === 'held' ? idIn(answer) : undefined
      if (id === undefined || id === notThis) throw new Error(answer?.body ?? 'no answer')
      return id
    })
  }

  /**
   * The request, or another one where the gates were too busy in the race before to look at the table: what is
   * found at the use would differ from what was signed, and no grant of it would ever be used.
   */
  async #lookedAt(keys: Keys, name: string, request: string): Promise<string> {
    const isLookedAt = await this.#atSome(`${request} is not shown`, async (gate) => {
      const shown = await gate.client.get<{ document: string }>(`/api/requests/${request}`)
      return !shown.document.includes('"unread"')
    })
    if (isLookedAt) return request
    const operator = name.replace('table', 'op')
    await this.#atSome(`${request} is not withdrawn`, async (gate) => {
      const { state } = (
        await gate.client.get<{ request: { state: string } }>(`/api/requests/${request}`)
      ).request
      if (state === 'pending') await gate.withdraw(operator, request)
    })
    return this.#lookedAt(keys, name, await this.#pending(keys, name, request))
  }

  async #round(keys: Keys, name: string, request: string): Promise<string> {
    const before = this.#effectsOf(name)
    await this.#approved(request)
    const { retries } = this.#options
    const answers = await this.#inTurn(async () => {
      // Nobody races for a gateway that is not there: who is killed now is killed in the race.
      while (this.#up.size === 0 && !this.#isOver) await pause(100)
      const up = [...this.#up]
      return Promise.all(
        Array.from({ length: retries }, (_, retry) => {
          const gate = up[retry % up.length] ?? (this.#gates[0] as GateProcess)
          return this.#call(gate, keys, name)
        }),
      )
    })
    let done = answers.filter((answer) => answer?.status === 200).length
    // Until the grant is used: then the next call opens another request.
    const next = await this.#atSome(`the grant of ${request} is not used`, async (gate) => {
      const answer = await this.#call(gate, keys, name)
      if (answer?.status === 200) done += 1
      const id = answer && this.#kindOf(answer) === 'held' ? idIn(answer) : undefined
      if (id === undefined || id === request) throw new Error(answer?.body ?? 'no answer')
      return id
    })
    const effects = this.#effectsOf(name) - before
    if (effects > 1) this.#find(`${name} ${request}: ${effects} effects of one grant`)
    if (done > 1) this.#find(`${name} ${request}: ${done} answers say that it was done`)
    if (done > effects) this.#find(`${name} ${request}: said to be done, and was not`)
    return next
  }

  /** One race at a time: many more calls at once only wait longer than the gate looks. */
  #inTurn<T>(race: () => Promise<T>): Promise<T> {
    const mine = this.#racing.then(race)
    this.#racing = mine.catch(() => undefined)
    return mine
  }

  async #approved(request: string): Promise<void> {
    await this.#atSome(`${request} is not approved`, async (gate) => {
      const path = `/api/requests/${request}`
      const found = await gate.client.get<{ request: { state: string } }>(path)
      const { state } = found.request
      // An answer to the verdict that was lost: it counts all the same.
      if (state === 'pending') await gate.approve('bob', request)
    })
  }

  /** One more call of the same action, as a client signs it anew; null where its answer never came. */
  async #call(gate: GateProcess, keys: Keys, TableName: string): Promise<RawAnswer | null> {
    const headers = [['x-amz-user-agent', randomUUID()]] as const
    const call = dynamodbCall('DeleteTable', { TableName }, { headers })
    this.counts.answers += 1
    let answer: RawAnswer | null = null
    try {
      answer = await rawCall({ ...keys, endpoint: gate.endpoint }, call)
    } catch {
      // The gateway was killed, or is not up again.
    }
    const kind = answer === null ? 'lost' : this.#kindOf(answer)
    this.counts.kinds.set(kind, (this.counts.kinds.get(kind) ?? 0) + 1)
    if (kind === 'other')
      this.#find(`${answer?.status} ${answer?.body.slice(0, 400)} ${gate.words.slice(-600)}`)
    return answer
  }

  #kindOf({ status, body }: RawAnswer): string {
    if (status === 200) return 'executed'
    return KINDS.find(([, words]) => words.test(body))?.[0] ?? 'other'
  }

  /** Every intent has its outcome once the others have found out who died; then all stop in order. */
  async #ended(): Promise<readonly LedgerEntry[]> {
    const untilMs = Date.now() + WAIT_MS_MAX
    let open = -1
    while (open !== 0 && Date.now() < untilMs) {
      await pause(500)
      open = openIn(await this.#readable())
    }
    if (open !== 0) this.#find(`${open} intents have no outcome`)
    for (const gate of this.#gates) await gate.stop()
    const [gate] = this.#gates
    if (!gate) return []
    const entries = await gate.verified()
    this.#account(entries)
    return entries
  }

  async #readable(): Promise<readonly LedgerEntry[]> {
    try {
      return (await this.#gates[0]?.verified()) ?? []
    } catch {
      // Files moved while they were read; the look at the end is of files that do not.
      return []
    }
  }

  #account(entries: readonly LedgerEntry[]): void {
    const outcomes = new Map<unknown, string>()
    for (const entry of entries) {
      if (entry.type !== 'outcome') continue
      const { result } = entry['outcome'] as { result: string }
      // What AWS accepted has a second one, which says how it ended.
      if (result === 'confirmed') continue
      if (outcomes.has(entry['effect'])) this.#find(`${entry['effect']} has two outcomes`)
      outcomes.set(entry['effect'], result)
    }
    const intents = entries.filter(({ type }) => type === 'intent')
    const granted = new Set(intents.map(({ grant }) => grant))
    if (granted.size !== intents.length) this.#find('a grant has two intents')
    const made = entries.filter(({ type }) => type === 'grant-made').length
    if (made < this.counts.grants) this.#find(`${made} grants of ${this.counts.grants} rounds`)
    const accepted = intents.filter(({ effect }) => outcomes.get(effect) === 'accepted').length
    const unknown = intents.filter(({ effect }) => outcomes.get(effect) === 'unknown').length
    const failed = intents.filter(({ effect }) => outcomes.get(effect) === 'failed').length
    if (accepted + unknown + failed !== intents.length) this.#find('an outcome is of another kind')
    const effects = [...this.#effects.values()].reduce((sum, count) => sum + count, 0)
    this.counts.executed = accepted
    this.counts.failed = failed
    this.counts.unknownExecuted = effects - accepted
    this.counts.unknownNotExecuted = unknown - (effects - accepted)
    const revoked = new Set(
      entries.filter(({ type }) => type === 'grant-revoked').map(({ grant }) => grant),
    )
    for (const grant of granted) if (revoked.has(grant)) this.#find(`${grant} was used and revoked`)
    this.counts.revoked = revoked.size
    // Used up by a gateway that died, or could not record, before the effect began.
    this.counts.usedUp = made - revoked.size - intents.length
    if (effects < accepted || effects > intents.length - failed) {
      this.#find(`${effects} effects, ${accepted} accepted of ${intents.length} intents`)
    }
  }

  async remove(): Promise<void> {
    this.#over.resolve()
    for (const gate of this.#gates) await gate.remove()
  }
}

function openIn(entries: readonly LedgerEntry[]): number {
  if (entries.length === 0) return -1
  const ended = new Set(
    entries.filter(({ type }) => type === 'outcome').map((one) => one['effect']),
  )
  return entries.filter(({ type, effect }) => type === 'intent' && !ended.has(effect)).length
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

// One approved plan and an agent that makes its calls, rightly or not. What the plan allows is known here from its
// list alone: each call of it once, in order, until the first that is not its next. No code of the gate is used for that.
import { agentPost } from '@seconder/cli/agent-client'
import { signerFor } from '@seconder/cli/signing'
import { signWithdrawal } from '@seconder/cli/withdrawing'
import type { ShownPlan } from '@seconder/gateway/api/plans'
import { expect, vi } from 'vitest'
import { defaultScript, type FakeUpstream } from '../fakes/upstream.ts'
import { closeSession } from './acts.ts'
import { ACCOUNT, type Harness, type Keys } from './harness.ts'
import { pick, type Random } from './quorum.ts'
import { dynamodbCall, type RawAnswer, type RawCall, rawCall } from './wire.ts'

const READS = /^(Describe|List|Get)/
/** Beside the first. */
const STEPS_MAX = 4
/** Signatures of one case lie this many seconds back at most: the gate takes them for fifteen minutes. */
const SIGNED_BACK_S_MAX = 200

/** The clock of this machine, for the gate and for whoever signs, that can be put forward and never back. */
export class ForwardClock {
  #shiftMs = 0

  constructor() {
    const Machine = Date
    const nowMs = () => Machine.now() + this.#shiftMs
    class Forward extends Machine {
      constructor(...at: [] | [number | string]) {
        super(at[0] ?? nowMs())
      }
      static override now(): number {
        return nowMs()
      }
    }
    vi.stubGlobal('Date', Forward)
  }

  get shiftMs(): number {
    return this.#shiftMs
  }

  forward(ms: number): void {
    this.#shiftMs += ms
  }
}

const arn = (table: string) => `arn:aws:dynamodb:eu-west-1:${ACCOUNT}:table/${table}`
export const tagged = (table: string, value: string) =>
  dynamodbCall('TagResource', { ResourceArn: arn(table), Tags: [{ Key: 'a', Value: value }] })

const CALLS: readonly RawCall[] = [
  tagged('orders', '1'),
  tagged('orders', '2'),
  tagged('carts', '1'),
  dynamodbCall('DeleteTable', { TableName: 'orders' }),
  dynamodbCall('DeleteTable', { TableName: 'carts' }),
  dynamodbCall('UpdateTable', { TableName: 'orders', DeletionProtectionEnabled: true }),
]

export const randomPlan = (random: Random): RawCall[] =>
  Array.from({ length: 1 + Math.ceil(random() * STEPS_MAX) }, () => pick(random, CALLS))

const textOf = (call: RawCall) =>
  `${call.headers?.find(([name]) => name === 'x-amz-target')?.[1].split('.')[1]} ${call.body}`

export class PlanCase {
  readonly plan: readonly RawCall[]
  readonly keys: Keys
  readonly #gate: Harness
  readonly #upstream: FakeUpstream
  readonly #clock: ForwardClock
  readonly #operator: string
  #id = ''
  #signed = 0
  readonly #begunAtMs: number
  /** Set by the first thing that ends the plan: from then on nothing may reach the upstream. */
  isOver = false

  private constructor(
    of: { gate: Harness; upstream: FakeUpstream; clock: ForwardClock; operator: string },
    keys: Keys,
    plan: readonly RawCall[],
  ) {
    this.#gate = of.gate
    this.#upstream = of.upstream
    this.#clock = of.clock
    this.#begunAtMs = Date.now() - of.clock.shiftMs
    this.#operator = of.operator
    this.keys = keys
    this.plan = plan
  }

  /** Recorded by running its calls, submitted, and approved. */
  static async approved(
    of: { gate: Harness; upstream: FakeUpstream; clock: ForwardClock; operator: string },
    plan: readonly RawCall[],
  ): Promise<PlanCase> {
    const made = new PlanCase(of, await of.gate.open(of.operator), plan)
    of.upstream.seen.splice(0)
    const said = { reason: 'as the plan says' }
    const begun = await agentPost<ShownPlan>(of.gate.client, made.keys, '/api/agent/plans', said)
    made.#id = begun.planId
    for (const call of plan) expect((await made.run(call)).body).toContain(`of plan ${made.#id}`)
    await agentPost(of.gate.client, made.keys, '/api/agent/plans/submit', {})
    expect((await made.run(pick(() => 0, plan))).body).toContain(`Request ${made.#id} is open`)
    // A revocation of before stands for a day, over this operator's next plans too: who revoked signs as well.
    let { state } = await of.gate.review('bob', made.#id)
    if (state === 'pending') state = (await of.gate.review('carol', made.#id)).state
    expect(state).toBe('approved')
    expect(made.effects()).toEqual([])
    return made
  }

  /** What reached the upstream and was no read, in order. */
  effects(): string[] {
    return this.#upstream.seen
      .filter(({ operation }) => !READS.test(operation))
      .map(({ operation, request }) => `${operation} ${Buffer.from(request.body).toString()}`)
  }

  get done(): number {
    return this.effects().length
  }

  get next(): RawCall | undefined {
    return this.isOver ? undefined : this.plan[this.done]
  }

  isNext(call: RawCall): boolean {
    return this.next !== undefined && textOf(this.next) === textOf(call)
  }

  /** INVARIANT of every plan: what was done is the beginning of its list, whatever the agent did. */
  requirePrefix(): void {
    expect(this.effects()).toEqual(this.plan.slice(0, this.done).map(textOf))
  }

  async state(): Promise<string> {
    const { client } = this.#gate
    return (await client.get<{ plan: ShownPlan }>(`/api/plans/${this.#id}`)).plan.state
  }

  /** Each call under a signature of its own. A busy machine may not look in time; then the plan stands. */
  async run(call: RawCall): Promise<RawAnswer> {
    for (let tries = 0; ; tries++) {
      const answer = await rawCall(this.keys, { ...call, signedAtMs: this.#anotherSecond() })
      if (tries === 5 || !answer.body.includes('could not look again')) return answer
    }
  }

  /** Of no call before, so that equal calls are no copies of each other. */
  #anotherSecond(): number {
    return this.#begunAtMs + this.#clock.shiftMs - (this.#signed++ % SIGNED_BACK_S_MAX) * 1_000
  }

  /** The same signed request once more: a copy, which gets the first one's answer. */
  async twiceSigned(call: RawCall): Promise<void> {
    const signedAtMs = this.#anotherSecond()
    await rawCall(this.keys, { ...call, signedAtMs })
    await rawCall(this.keys, { ...call, signedAtMs })
  }

  async failing(call: RawCall, how: 'refused' | 'silent'): Promise<void> {
    this.#upstream.script = (seen) => {
      if (READS.test(seen.operation)) return defaultScript(seen)
      return how === 'silent' ? 'silence' : { status: 400, body: '{"__type":"X"}' }
    }
    await this.run(call)
    this.#upstream.script = defaultScript
  }

  async revoke(): Promise<void> {
    const { client, keys } = this.#gate
    const taken = { requestId: this.#id, takes: 'revoke', comment: 'no more' } as const
    await signWithdrawal(client, await signerFor(client, keys.get('carol')), taken)
  }

  async end(): Promise<void> {
    await closeSession(this.#gate, this.keys, this.#operator)
  }
}

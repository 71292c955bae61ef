// What a new epoch would have answered to what was asked lately: the calls of the ledger, put to the policies in force
// and to those proposed, with the gate's own decide. Only what differs is told, the worst first.
import type { JsonObject } from '@seconder/aws/call'
import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import { peopleOf } from '@seconder/ledger/requirement'
import { decide, readsIsolation } from '../decide/decide.ts'
import type { Decision } from '../decide/decision.ts'
import { loadPolicySet, type PolicySet, type PolicySources } from '../decide/policy-set.ts'
import { environmentOf } from '../describe/environments.ts'
import type { EpochContent } from '../epoch/content.ts'
import { canonicalJson, sha256Hex } from '../lib/canonical-json.ts'
import { readingsOf } from './readings.ts'
import type { Passed, RecordedCall } from './recorded-call.ts'

/** Kinds in the order in which they are told. */
export const KINDS = [
  'newly-allowed',
  'asks-fewer',
  'newly-denied',
  'newly-asked',
  'asks-others',
  'allowed-with-review',
] as const

export type Kind = (typeof KINDS)[number]

/** Groups, and things that could not be told, that are kept; the rest is counted. */
export const GROUPS_MAX = 2_000
const UNKNOWNS_MAX = 200
/** Answers that are remembered, so that the same question is not put twice. */
const ANSWERS_KEPT_MAX = 50_000

export interface Answered {
  readonly answer: Decision['answer']
  readonly requirement: readonly string[]
  readonly policies: readonly string[]
  /** Of a deny. */
  readonly code: string | null
}

export interface Change {
  readonly kind: Kind
  /** The strictest of its effects. */
  readonly effect: string
  readonly operation: string
  readonly environments: readonly string[]
  readonly agent: string
  readonly operator: string
  readonly role: string
  readonly count: number
  readonly before: Answered
  readonly after: Answered
  /** One of them: its entry in the ledger, and what it was about. */
  readonly entry: number
  readonly at: string
  readonly resource: string
}

export interface DryRunResult {
  readonly format: 'seconder-dry-run@v1'
  /** The epoch in force, and the version that would replace it. */
  readonly from: number
  readonly version: string
  readonly window: {
    readonly since: string
    readonly until: string
    /** Entries that were looked at, first and last; null where there was none. */
    readonly first: number | null
    readonly last: number | null
    /** Why it does not go back to `since`: `null`, or the limit that was reached. */
    readonly cutBy: 'time' | 'entries' | null
  }
  readonly calls: number
  /** Of these, told by their entry alone: without parameters and without where they came from. */
  readonly bareCalls: number
  readonly unchanged: number
  readonly totals: Readonly<Record<Kind, number>>
  readonly changes: readonly Change[]
  readonly changesOmitted: number
  /** Calls whose answer of then could not be worked out again, by what they were. */
  readonly unknown: readonly {
    readonly what: string
    readonly count: number
    readonly entry: number
  }[]
  readonly unknownCount: number
  /** Refusals by the proposed policies that are errors, not answers. */
  readonly errors: readonly {
    readonly what: string
    readonly count: number
    readonly entry: number
  }[]
  readonly passed: Readonly<Partial<Record<Passed, number>>>
}

export interface Sides {
  readonly from: number
  readonly version: string
  readonly active: EpochContent
  readonly candidate: EpochContent
}

interface Side {
  readonly content: EpochContent
  readonly policySet: PolicySet
  readonly roleNames: ReadonlyMap<string, string>
}

export class DryRun {
  readonly #sides: Sides
  readonly #before: Side
  readonly #after: Side
  readonly #changes = new Map<string, Change & { count: number }>()
  readonly #unknown = new Named()
  readonly #errors = new Named()
  readonly #passed: Partial<Record<Passed, number>> = {}
  readonly #totals = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<Kind, number>
  readonly #answers = new Map<string, [Answered, Answered]>()
  #calls = 0
  #bareCalls = 0
  #unchanged = 0
  #omitted = 0

  private constructor(sides: Sides, before: Side, after: Side) {
    this.#sides = sides
    this.#before = before
    this.#after = after
  }

  /** Errors: PolicyError where one of the sets does not load. */
  static async of(sides: Sides, load: Load = loadPolicySet): Promise<DryRun> {
    const { active, candidate } = sides
    return new DryRun(sides, await sideOf(active, load), await sideOf(candidate, load))
  }

  pass(why: Passed): void {
    this.#passed[why] = (this.#passed[why] ?? 0) + 1
  }

  take(call: RecordedCall, entry: number, at: string): void {
    this.#calls++
    if (!call.isWhole) this.#bareCalls++
    const found = this.#answersTo(call)
    if (typeof found === 'string') {
      this.#unknown.add(`${call.action.operation}: ${found}`, entry)
      return
    }
    const [before, after] = found
    if (after.code !== null && after.code !== 'denied_by_policy') {
      this.#errors.add(
        `${call.action.operation}: ${after.code}, ${after.policies.join(', ') || 'no policy'}`,
        entry,
      )
    }
    const kind = kindOf(before, after)
    if (kind === null) {
      this.#unchanged++
      return
    }
    this.#totals[kind]++
    this.#note(kind, call, [before, after], entry, at)
  }

  result(window: DryRunResult['window']): DryRunResult {
    const changes = [...this.#changes.values()].sort(worse)
    return {
      format: 'seconder-dry-run@v1',
      from: this.#sides.from,
      version: this.#sides.version,
      window,
      calls: this.#calls,
      bareCalls: this.#bareCalls,
      unchanged: this.#unchanged,
      totals: this.#totals,
      changes,
      changesOmitted: this.#omitted,
      unknown: this.#unknown.list(),
      unknownCount: this.#unknown.total,
      errors: this.#errors.list(),
      passed: this.#passed,
    }
  }

  /**
   * What both would say. In words why nothing can be said, where the policies of then, asked again with what is on
   * record, say something else than they did: then something they looked at is not on record; and where the answers
   * differ by what an entry does not tell.
   */
  #answersTo(call: RecordedCall): [Answered, Answered] | string {
    const { action, looked } = call
    const byIsolation = [this.#before, this.#after].some(({ policySet }) =>
      readsIsolation(action, looked, policySet),
    )
    const readings = readingsOf(call, byIsolation)
    if (readings === null) return 'in which environment each thing was is not on record'
    const answers = readings.map((reading) => this.#both(reading))
    const isMeasure = call.answered !== null && call.epoch === this.#sides.from
    const [first, ...others] = answers.filter(
      ([before]) => !isMeasure || before.answer === call.answered,
    )
    if (first === undefined) {
      return `answered ${call.answered} then, and what for is not on record`
    }
    const told = toldOf(first)
    if (others.every((other) => toldOf(other) === told)) return first
    const unsaid = [
      byIsolation ? ['from where it came'] : [],
      call.environments.length > 1 ? ['in which environment each thing was'] : [],
    ]
    return `it hangs on ${unsaid.flat().join(' or ')}, which is not on record`
  }

  #both(call: RecordedCall): [Answered, Answered] {
    const before = asOf(call, this.#before, this.#before)
    const after = asOf(call, this.#before, this.#after)
    const asked = [before, after === null ? null : [after.action.resources, after.context.role]]
    // Documents are large, and many are remembered.
    const key = sha256Hex(JSON.stringify(asked))
    const known = this.#answers.get(key)
    if (known !== undefined) return known
    const answers: [Answered, Answered] = [
      answerOf(before, this.#before),
      answerOf(after, this.#after),
    ]
    if (this.#answers.size < ANSWERS_KEPT_MAX) this.#answers.set(key, answers)
    return answers
  }

  #note(
    kind: Kind,
    call: RecordedCall,
    [before, after]: [Answered, Answered],
    entry: number,
    at: string,
  ): void {
    const { action, context } = call
    const environments = [...call.environments].sort()
    const { agent, operator } = context
    const role = this.#before.roleNames.get(call.roleArn) ?? context.role
    const of = { kind, operation: action.operation, environments, agent, operator, role }
    const key = JSON.stringify([of, before, after])
    const known = this.#changes.get(key)
    if (known !== undefined) {
      known.count++
      return
    }
    if (this.#changes.size >= GROUPS_MAX) {
      this.#omitted++
      return
    }
    const effect = strictest([...action.effects, ...call.looked.addedEffects])
    const resource = action.resources[0]?.arn ?? '*'
    this.#changes.set(key, { ...of, effect, count: 1, before, after, entry, at, resource })
  }
}

type Load = (sources: PolicySources) => Promise<PolicySet>

async function sideOf(content: EpochContent, load: Load): Promise<Side> {
  const { schema, policies, roles } = content
  return {
    content,
    policySet: await load({ schema, policies: [...policies] }),
    roleNames: new Map(Object.entries(roles).map(([name, { arn }]) => [arn, name])),
  }
}

/** The call under the map and the role names of that side; null where the role is not in it any more. */
function asOf(call: RecordedCall, then: Side, side: Side): RecordedCall | null {
  const name = side.roleNames.get(call.roleArn)
  if (name === undefined && then.roleNames.has(call.roleArn)) return null
  const role = name ?? call.context.role
  const resources = call.action.resources.map((resource) => {
    // Raised by something else than the map then, so it is now.
    const isByMap = environmentOf(then.content.environments, resource) === resource.environment
    if (!isByMap || side === then) return resource
    return { ...resource, environment: environmentOf(side.content.environments, resource) }
  })
  return { ...call, action: { ...call.action, resources }, context: { ...call.context, role } }
}

function answerOf(call: RecordedCall | null, { policySet }: Side): Answered {
  if (call === null)
    return { answer: 'deny', requirement: [], policies: [], code: 'denied_by_policy' }
  const decision = decide(call.action, call.looked, call.context, policySet)
  return {
    answer: decision.answer,
    requirement: decision.answer === 'review' ? decision.requirement : [],
    policies: [...decision.policies].sort(),
    code: decision.answer === 'deny' ? decision.code : null,
  }
}

function kindOf(before: Answered, after: Answered): Kind | null {
  if (before.answer === after.answer) {
    if (before.answer !== 'review') return null
    const [asked, asks] = [before.requirement, after.requirement]
    if (JSON.stringify([...asked].sort()) === JSON.stringify([...asks].sort())) return null
    return peopleOf(asks) < peopleOf(asked) ? 'asks-fewer' : 'asks-others'
  }
  if (after.answer === 'allow') return 'newly-allowed'
  if (after.answer === 'deny') return 'newly-denied'
  return before.answer === 'allow' ? 'newly-asked' : 'allowed-with-review'
}

/** What is told of a call: that it is as before, or how it differs. */
function toldOf([before, after]: [Answered, Answered]): string {
  const kind = kindOf(before, after)
  const isError = after.code !== null && after.code !== 'denied_by_policy'
  return JSON.stringify([kind, isError, kind === null ? null : [shownOf(before), shownOf(after)]])
}

/** Policies are told of a refusal alone. */
function shownOf({ answer, requirement, code, policies }: Answered) {
  return [answer, [...requirement].sort(), code, answer === 'deny' ? policies : []]
}

const ORDER: readonly string[] = EFFECTS_BY_STRICTNESS

function strictest(effects: readonly string[]): string {
  return effects.reduce(
    (worst, one) => (ORDER.indexOf(one) > ORDER.indexOf(worst) ? one : worst),
    effects[0] ?? 'unknown',
  )
}

const DESTRUCTIVE = new Set(['destroy', 'replace'])

/** What destroys first; of that what would pass that did not; then the strictest, then the most frequent. */
function worse(a: Change, b: Change): number {
  return (
    Number(DESTRUCTIVE.has(b.effect)) - Number(DESTRUCTIVE.has(a.effect)) ||
    KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
    ORDER.indexOf(b.effect) - ORDER.indexOf(a.effect) ||
    b.count - a.count ||
    a.entry - b.entry
  )
}

/** Things with a name, counted, each with one entry that shows it. */
class Named {
  readonly #all = new Map<string, { count: number; entry: number }>()
  total = 0

  add(what: string, entry: number): void {
    this.total++
    const known = this.#all.get(what)
    if (known) known.count++
    else if (this.#all.size < UNKNOWNS_MAX) this.#all.set(what, { count: 1, entry })
  }

  list() {
    return [...this.#all]
      .map(([what, found]) => ({ what, ...found }))
      .sort((a, b) => b.count - a.count || a.entry - b.entry)
  }
}

/** The result as it is kept and named in a signature: its text and the SHA-256 (hex) of that. */
export function dryRunText(result: DryRunResult): {
  readonly text: string
  readonly digest: string
} {
  const text = canonicalJson(JSON.parse(JSON.stringify(result)) as JsonObject)
  return { text, digest: sha256Hex(text) }
}

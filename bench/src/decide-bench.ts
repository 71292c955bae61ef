// Deciding with many policies, against Cedar asked plainly: one preparsed set of all policies, no
// slices, the same question about the same entities.
import { decide } from '@seconder/gateway/decide/decide'
import type { CedarCall, CedarModule, Engine } from '@seconder/gateway/decide/engine'
import { freshCedar } from '@seconder/gateway/decide/fresh-cedar'
import { loadPolicySet, type PolicySet } from '@seconder/gateway/decide/policy-set'
import { cedarCall, questionsOf, requestFacts } from '@seconder/gateway/decide/request'
import { CONTEXT, readText } from '@seconder/gateway/decide/sample-request'
import type { Action } from '@seconder/gateway/describe/action'
import { NO_EVIDENCE } from '@seconder/gateway/resolve/evidence'
import { percentile } from './figures.ts'
import { actionIn, allowing, policiesOf, type Shape } from './policies.ts'
import { type Bench, type BenchOptions, figure, quotient, type Row } from './result.ts'

const WHOLE = 'whole'
const TIMES_AIM = 50
const P99_MS_AIM = 1
const SMALL = 1_000
const LARGE = 10_000

export const decideBench: Bench = async (options) => {
  const rows: Row[] = []
  const sizes = options.all ? [SMALL, LARGE] : [SMALL]
  for (const size of sizes) {
    for (const shape of ['apart', 'mixed'] as const) {
      rows.push(...(await rowsFor(size, shape, options)))
    }
  }
  const notes = [
    'apart: each policy names one effect and one environment; mixed: one in a hundred names neither',
    'peer: cedar-wasm `statefulIsAuthorized`, one preparsed set, no schema, no request validation',
    'new facts: what the policies read is different each time, so Cedar is asked; as before: it is remembered',
    'p50 and p99 are those of single calls; p99 on a shared machine holds its scheduling too',
  ]
  if (!options.all) notes.push('10,000 policies with --all')
  return { name: 'decide', title: 'decisions with many policies, on one core', rows, notes }
}

async function rowsFor(size: number, shape: Shape, options: BenchOptions): Promise<Row[]> {
  const { progress, seconds, rounds } = options
  const name = `${size.toLocaleString('en-US')} policies, ${shape}`
  progress(`decide: loading ${name}`)
  const policies = policiesOf(size, shape)
  const text = policies.map(({ source }) => source).join('\n')
  const schema = readText('policies/schema.cedarschema')
  const begun = performance.now()
  const set = await loadPolicySet({ schema, policies: [{ file: 'bench.cedar', text }] })
  const loadSeconds = (performance.now() - begun) / 1000
  const cedar = wholeSet(policies)
  const actions = allowing(policies).map(actionIn)
  const calls = actions.map((action) => plainCall(action, set))
  // The gate remembers answers by the facts that policies read; so one fact more is new each time.
  let asked = 0
  const ask: Engine['ask'] = (slice, facts, call) => {
    asked += 1
    return set.engine.ask(slice, `${facts} ${asked}`, call)
  }
  const anew: PolicySet = { ...set, engine: { ask } as Engine }
  const own = (at: number) => decide(turnOf(actions, at), NO_EVIDENCE, CONTEXT, anew).answer
  // Another operator each time, whom no policy here asks for: the facts are those of before.
  const remembered = (at: number) => {
    const context = { ...CONTEXT, operator: `operator-${at}` }
    return decide(turnOf(actions, at), NO_EVIDENCE, context, set).answer
  }
  const plain = (at: number) => plainAnswer(cedar, turnOf(calls, at))
  // Both sides must say the same before either is timed.
  for (let at = 0; at < actions.length; at += 1) {
    const answers = `${own(at)} ${remembered(at)} ${plain(at)}`
    if (answers !== 'allow allow allow') throw new Error(`the sides differ: ${answers}`)
  }
  const times: Sides = { own: [], remembered: [], plain: [] }
  for (let round = -1; round < rounds; round += 1) {
    progress(`decide: ${name}, ${round < 0 ? 'warm-up' : `round ${round + 1}`}`)
    const slot = {
      own: timesOf(own, seconds),
      remembered: timesOf(remembered, seconds),
      plain: timesOf(plain, seconds),
    }
    if (round < 0) continue
    times.own.push(slot.own)
    times.remembered.push(slot.remembered)
    times.plain.push(slot.plain)
  }
  return [...timeRows(name, size, times), loadRow(name, loadSeconds)]
}

interface Sides {
  readonly own: Times[]
  readonly remembered: Times[]
  readonly plain: Times[]
}

function turnOf<T>(items: readonly T[], at: number): T {
  return items[at % items.length] as T
}

interface Times {
  readonly p50Ms: number
  readonly p99Ms: number
}

function timesOf(run: (at: number) => unknown, seconds: number): Times {
  const took: number[] = []
  const until = performance.now() + seconds * 1000
  for (let at = 0; performance.now() < until; at += 1) {
    const begun = performance.now()
    run(at)
    took.push(performance.now() - begun)
  }
  const sorted = Float64Array.from(took).sort()
  return { p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99) }
}

function timeRows(name: string, size: number, times: Sides): Row[] {
  const row = (side: 'own' | 'remembered', pick: 'p50Ms' | 'p99Ms'): Row => {
    const own = times[side].map((slot) => slot[pick])
    const plain = times.plain.map((slot) => slot[pick])
    const isTimes = side === 'own' && pick === 'p50Ms' && size === SMALL
    const isTail = side === 'own' && pick === 'p99Ms' && size === LARGE
    const facts = side === 'own' ? 'new facts' : 'facts as before'
    const ours = figure(own, 'ms')
    const faster = quotient(plain, own)
    return {
      what: `${name}, ${facts}: ${pick.slice(0, 3)}, times faster`,
      ours,
      peer: figure(plain, 'ms'),
      peerName: 'cedar unsliced',
      ratio: faster,
      aim: isTimes ? `>= ${TIMES_AIM}` : isTail ? `< ${P99_MS_AIM} ms` : '',
      reached: isTimes ? faster >= TIMES_AIM : isTail ? ours.value < P99_MS_AIM : null,
    }
  }
  return [
    row('own', 'p50Ms'),
    row('own', 'p99Ms'),
    row('remembered', 'p50Ms'),
    row('remembered', 'p99Ms'),
  ]
}

function loadRow(name: string, loadSeconds: number): Row {
  return {
    what: `${name}: to load and check, once`,
    ours: figure([loadSeconds], 's'),
    peer: null,
    peerName: '',
    ratio: null,
    aim: '',
    reached: null,
  }
}

/** All policies in one preparsed set of a Cedar instance of its own. */
function wholeSet(policies: readonly { id: string; source: string }[]): CedarModule {
  const cedar = freshCedar()
  const staticPolicies = Object.fromEntries(policies.map(({ id, source }) => [id, source]))
  const parsed = cedar.preparsePolicySet(WHOLE, { staticPolicies })
  if (parsed.type !== 'success') throw new Error('cedar refused the policies of the bench')
  return cedar
}

/** The one question that `decide` asks about this Action, as Cedar is asked it plainly. */
function plainCall(action: Action, set: PolicySet): CedarCall {
  const [question] =
    questionsOf(action, NO_EVIDENCE, set.environments, () => new Set(['arn'])) ?? []
  if (question === undefined) throw new Error('the action of the bench asks nothing')
  const nobody = { approvedBy: [], strength: 'none' } as const
  return cedarCall(question, requestFacts(action, CONTEXT), CONTEXT, nobody)
}

function plainAnswer(cedar: CedarModule, call: CedarCall): string {
  const answer = cedar.statefulIsAuthorized({ ...call, preparsedPolicySetId: WHOLE })
  return answer.type === 'success' ? answer.response.decision : 'failure'
}

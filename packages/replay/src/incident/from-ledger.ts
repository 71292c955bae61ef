// An incident from a ledger alone: what was asked and done in a window, each harmful call with its chain, the
// factors, and candidate policies put to the recorded calls. Pure but for the loading of policies.

import type { Reviewer } from '@seconder/gateway/decide/seats'
import { entryCall } from '@seconder/gateway/dry-run/recorded-call'
import type { Entry } from '@seconder/gateway/record/entry'
import type { Rules } from '../judge/rules.ts'
import type { Reconciliation } from '../reconcile/reconciliation.ts'
import { answersOf } from './answers.ts'
import { type Ask, asksOf, type Payloads } from './asks.ts'
import { besideAnswer, leftWords } from './beside.ts'
import { candidateOf, type Recorded } from './candidates.ts'
import { Epochs, roleNameOf } from './epochs.ts'
import { joinedFactors } from './factors.ts'
import { CHAINS_MAX, type Chain, type Incident, MOMENTS_MAX } from './incident.ts'
import { factorsOf, findingWords } from './ledger-factors.ts'
import { linksOf, outcomeWords, roleArnOf } from './ledger-links.ts'
import type { LedgerRecord, Placed, Selection } from './ledger-record.ts'
import { timelineOf } from './ledger-timeline.ts'
import { type Base, proposalFor } from './proposal.ts'
import type { IamExport } from './role-excess.ts'
import { count, listed, named, shownLong, thing } from './words.ts'

export interface LedgerQuestion {
  readonly record: LedgerRecord
  readonly payloads: Payloads
  readonly selection: Selection
  readonly verified: boolean
  /** What the verifier found wrong, one line each. */
  readonly problems: readonly string[]
  readonly entries: number
  /** Root hash (hex). */
  readonly root: string
  /** Policy sets to try beside those in force. */
  readonly candidates: readonly Rules[]
  readonly impact: string | null
  /** What IAM allows, from an export of it; absent where none was given. */
  readonly iam?: IamExport | null
  /** The same window held against CloudTrail; absent where no trail was given. */
  readonly reconciled?: Reconciliation | null
}

export async function incidentOfLedger(question: LedgerQuestion): Promise<Incident> {
  const { record, payloads, selection, impact, reconciled = null } = question
  const epochs = new Epochs(record, payloads)
  const asks = asksOf(record, payloads, selection)
  const told = asks.slice(0, CHAINS_MAX)
  const chains = told.map((ask, index) => chainOf(ask, String(index + 1), record, epochs))
  const factors = joinedFactors(
    told.map((ask, index) => ({
      chain: String(index + 1),
      factors: factorsOf(ask, record, epochs.of(ask.main.entry.epoch), question.iam ?? null),
    })),
  )
  const calls = told.map((ask, index) => recordedOf(ask, String(index + 1), record, epochs))
  const tried = await candidatesOf(question, calls, told, epochs)
  const timeline = timelineOf(record, selection.session)
  return {
    format: 'seconder-incident@v1',
    madeFrom: 'ledger',
    warnings: warningsOf(question),
    source: {
      gate: record.gate,
      verified: question.verified,
      entries: question.entries,
      events: 0,
      root: question.root,
    },
    asked: selection,
    window: record.span,
    answers: [
      ...answersOf({ chains, factors, ...tried, others: othersOf(record, told) }),
      ...(reconciled === null ? [] : [besideAnswer(reconciled)]),
    ],
    impact,
    cannotKnow: cannotKnow(question, told),
    chains,
    chainCount: asks.length,
    factors,
    candidates: tried.candidates,
    proposal: tried.proposal,
    timeline: timeline.slice(0, MOMENTS_MAX),
    timelineCount: timeline.length,
    reconciled,
  }
}

function chainOf(ask: Ask, id: string, record: LedgerRecord, epochs: Epochs): Chain {
  const { main, findings, outcomes, intent, document, fate } = ask
  const results = outcomes.map(({ entry }) => entry.outcome)
  const first = results.find(({ result }) => result !== 'confirmed')
  const confirmed = results.find((one) => one.result === 'confirmed')
  const { operation, resources, environments } = main.entry
  const epoch = epochs.of(main.entry.epoch)
  const end = outcomes.at(-1)?.entry.at ?? ask.closed?.entry.at ?? ''
  return {
    id,
    actor: `the agent ${named(main.entry.agent)}`,
    effect: {
      operation,
      effects: ask.effects,
      resources,
      environments,
      region: document?.parts[0]?.action.region ?? resources[0]?.split(':')[3] ?? '',
      fate,
      outcome: intent === null ? 'none' : (first?.result ?? 'unknown'),
      confirmed: confirmed?.result === 'confirmed' ? confirmed.confirmed : null,
      at: main.entry.at,
      endedAt: end,
      takes: findings.map(findingWords),
      ...madeAgainOf(ask, record),
    },
    links: linksOf(ask, record, epoch),
    claimed: document?.frame.agentSays ?? null,
    did: didWords(ask),
  }
}

const MAKES = /:(?:Create|Run|Register|Restore|Import|Allocate|Launch)/

/** The first call after a deletion that made something of the same name. */
function madeAgainOf({ main, effects, fate }: Ask, record: LedgerRecord) {
  if (fate !== 'happened' || !effects.includes('destroy')) return {}
  const gone = new Set(main.entry.resources.map(bareArn))
  const made = record.intents.find(
    ({ entry, evidence }) =>
      (evidence.entry ?? 0) > (main.evidence.entry ?? 0) &&
      MAKES.test(entry.operation) &&
      entry.resources.some((arn) => gone.has(bareArn(arn))),
  )
  if (made === undefined) return {}
  const { operation, at } = made.entry
  return { madeAgain: { operation, at, evidence: made.evidence } }
}

/** A stack's ARN without the id that is new each time. */
function bareArn(arn: string): string {
  return arn.replace(/(:stack\/[^/]+)\/.*$/, '$1')
}

function didWords({ main, fate, outcomes, findings }: Ask): string {
  const on = listed(
    main.entry.resources.map((arn) => named(thing(arn))),
    4,
  )
  const what = `called ${named(main.entry.operation)} on ${on}`
  const takes = findings.length === 0 ? '' : `: ${listed(findings.map(findingWords), 6)}`
  if (fate === 'held' || fate === 'refused') return `${what}${takes}; nothing was done`
  const last = outcomes.at(-1)
  const end =
    last === undefined ? 'no outcome is on record' : outcomeWords(last.entry.outcome, last.entry.at)
  return `${what}${takes}; ${end}`
}

/** The call as decide takes it: as it was shown to reviewers, or as far as its entry tells. */
function recordedOf(ask: Ask, chain: string, record: LedgerRecord, epochs: Epochs): Recorded {
  const { document, main, opened, intent } = ask
  const wentOn = intent !== null && ask.fate !== 'refused'
  const signed = wentOn ? signedOf(record, opened?.entry.request ?? null) : []
  const breakGlass = intent?.entry.breakGlass !== undefined
  const [part] = document?.parts ?? []
  if (part !== undefined) {
    const { action, evidence: looked } = part
    const context = { ...part.context, breakGlass }
    return { chain, action, looked, context, signed, wentOn }
  }
  const role = roleNameOf(epochs.of(main.entry.epoch)?.content ?? null, roleArnOf(ask, record))
  const bare = bareCall(main, role)
  return { chain, ...bare, context: { ...bare.context, breakGlass }, signed, wentOn }
}

/** What an entry tells of a call. Parameters are not in it, so what they would add is missing, and said to be. */
export function bareCall(
  { entry }: Placed<Ask['main']['entry'] | Extract<Entry, { type: 'read' }>>,
  role: string,
): Omit<Recorded, 'chain' | 'signed' | 'wentOn'> {
  return entryCall(entry, role)
}

async function candidatesOf(
  { record, candidates }: LedgerQuestion,
  calls: readonly Recorded[],
  told: readonly Ask[],
  epochs: Epochs,
) {
  const others = otherCalls(record, told)
  const numbers = [...new Set(told.map(({ main }) => main.entry.epoch))].sort((a, b) => b - a)
  const all: Incident['candidates'][number][] = []
  let base: Base | null = null
  for (const number of numbers) {
    const policySet = await epochs.policySet(number)
    const content = epochs.of(number)?.content
    if (policySet === null || content === null || content === undefined) continue
    const observed = told.some(({ intent }) => (intent?.entry.observed ?? null) !== null)
    const name = `epoch ${number}, ${observed ? 'enforced' : 'as it was in force'}`
    base ??= { name: `epoch ${number}`, sources: content, policySet }
    all.push(candidateOf(name, policySet, calls, others))
  }
  for (const { from, policySet } of candidates) {
    all.push(candidateOf(from, policySet, calls, others))
  }
  const at = told[0]?.main.entry.at ?? ''
  const proposed = base === null || told.length === 0 ? null : await proposalFor(calls, base, at)
  if (proposed?.policySet) {
    const name = `${base?.name} with the proposed change`
    all.push(candidateOf(name, proposed.policySet, calls, others))
  }
  return { candidates: all, proposal: proposed?.proposal ?? null }
}

/** The first of each run of reads, and each change that is in no chain. */
function otherCalls(record: LedgerRecord, told: readonly Ask[]): Recorded[] {
  const chained = new Set(told.map(({ main }) => main.evidence.entry))
  const reads = record.reads.map(({ first }) => ({ first, wentOn: true }))
  const intents = record.intents.filter(({ evidence }) => !chained.has(evidence.entry))
  return [
    ...reads.map(({ first, wentOn }) => ({
      chain: '',
      ...bareCall(first, first.entry.role.split('/').at(-1) ?? ''),
      signed: [],
      wentOn,
    })),
    ...intents.map((intent) => {
      const bare = bareCall(intent, intent.entry.role.split('/').at(-1) ?? '')
      const breakGlass = intent.entry.breakGlass !== undefined
      const signed = signedOf(record, intent.entry.request)
      return { chain: '', ...bare, context: { ...bare.context, breakGlass }, signed, wentOn: true }
    }),
  ]
}

function signedOf(record: LedgerRecord, request: string | null): Reviewer[] {
  if (request === null) return []
  return (record.reviews.get(request) ?? [])
    .filter(({ entry }) => entry.verdict === 'approve')
    .map(({ entry }) => ({
      name: entry.reviewer,
      teams: record.teams.get(entry.reviewer) ?? [],
      strength: entry.strength === 'hardware' ? ('hardware' as const) : ('software' as const),
    }))
}

/** Changes that did no harm, for the line that says what was touched. */
function othersOf(record: LedgerRecord, told: readonly Ask[]): string[] {
  const chained = new Set(told.map(({ main }) => main.evidence.entry))
  return record.intents
    .filter(({ evidence }) => !chained.has(evidence.entry))
    .map(({ entry }) => {
      const on = listed(
        entry.resources.map((arn) => named(thing(arn))),
        3,
      )
      const signers = signedOf(record, entry.request).map(({ name }) => named(name))
      const by = signers.length === 0 ? 'nobody had to sign it' : `signed by ${listed(signers)}`
      return `${named(entry.operation)} on ${on} (${by})`
    })
}

function warningsOf({ verified, problems, record, reconciled }: LedgerQuestion): string[] {
  const warnings: string[] = []
  const left = reconciled ? leftWords(reconciled) : null
  if (left !== null) warnings.push(`the ledger was held against a part of the trail alone: ${left}`)
  if (!verified) {
    warnings.push(
      `THIS LEDGER DOES NOT VERIFY: ${count(problems.length, 'problem')}. Nothing below is evidence until that is explained.`,
      ...problems.slice(0, 3),
    )
  }
  if (record.unreadable > 0) {
    warnings.push(
      `${count(record.unreadable, 'entry', 'entries')} could not be read and are missing below`,
    )
  }
  if (record.dropped > 0) {
    warnings.push(
      `${count(record.dropped, 'entry', 'entries')} of this window were left out for their number: ask for a shorter window`,
    )
  }
  return warnings
}

function cannotKnow(
  { record, iam = null, reconciled = null }: LedgerQuestion,
  told: readonly Ask[],
): string[] {
  const bare = told.filter(({ document, gone }) => document === null && gone === null).length
  const gone = told.flatMap((ask) => (ask.document === null && ask.gone !== null ? [ask.gone] : []))
  return [
    told.every((ask) => hasTask(ask, record))
      ? 'what else the agent was told: a ledger has the task as its operator signed it, and no prompt'
      : 'what the agent was told to do: no prompt is in a ledger, and a task where its operator gave one (`session open --task`)',
    reconciled === null
      ? 'what went round the gate: give CloudTrail beside the ledger (`--ledger DIR --trail TRAIL`), or `seconder ledger reconcile`'
      : 'what went round the gate and CloudTrail does not log, or lies outside of the trail that was given',
    ...(iam === null
      ? [
          'what IAM itself allowed the role: give an export of it (`--iam`), or `seconder roles audit`',
        ]
      : []),
    'how long users felt it: what an effect meant for them is not recorded; `--impact` adds what somebody saw, as a claim',
    ...(bare > 0
      ? [
          `of ${count(bare, 'call')} above the parameters, from where they came and what was in which environment: policies were tried on what the entry tells`,
        ]
      : []),
    ...[...new Set(gone)].map(
      (words) => `what reviewers were shown of a call above: ${shownLong(words)}`,
    ),
    ...(record.reads.length === 0 && record.intents.length === 0
      ? ['anything of this window: no call is in it; see --since and --until']
      : []),
  ]
}

function hasTask({ main }: Ask, record: LedgerRecord): boolean {
  const opened = record.sessions.get(main.entry.session)?.entry
  return opened?.type === 'session-opened' && opened.task !== undefined
}

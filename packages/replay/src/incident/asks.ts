// Every harmful call that a ledger tells of, each once, with all that is on record about it: its request and
// the document that reviewers were shown, their signatures, its intent, and its outcomes.

import { EFFECTS_BY_STRICTNESS } from '@seconder/aws/call'
import type { Entry } from '@seconder/gateway/record/entry'
import type { Finding } from '@seconder/gateway/resolve/evidence'
import type { DocumentFrame } from '@seconder/gateway/review/document'
import type { AnyDocument, PlanPart } from '@seconder/gateway/review/plan-document'
import { documentOf } from './forms.ts'
import { type Evidence, type Fate, isHarmful } from './incident.ts'
import type { LedgerRecord, Placed, Selection } from './ledger-record.ts'

type Of<Type extends Entry['type']> = Extract<Entry, { type: Type }>

/** Text of a payload beside the log by its SHA-256 in hex; null where it is not there. */
export type Payloads = (sha256: string) => string | null

/** What reviewers were shown. */
export interface Shown {
  readonly frame: DocumentFrame
  /** The calls in it that this ask is of: one, or those of a plan that was not begun. */
  readonly parts: readonly PlanPart[]
  readonly evidence: Evidence
}

export interface Ask {
  /** The entry that tells most of it: the intent, else the request, else the denial. */
  readonly main: Placed<Of<'intent' | 'request-opened' | 'plan-opened' | 'denied'>>
  readonly opened: Placed<Of<'request-opened' | 'plan-opened'>> | null
  readonly document: Shown | null
  /** Why there is no document, in words; null where the ledger does not say. */
  readonly gone: string | null
  readonly intent: Placed<Of<'intent'>> | null
  readonly reviews: readonly Placed<Of<'review'>>[]
  readonly grant: Placed<Of<'grant-made' | 'plan-approved'>> | null
  readonly closed: Placed<Of<'request-closed' | 'request-cancelled'>> | null
  readonly outcomes: readonly Placed<Of<'outcome'>>[]
  readonly fate: Fate
  /** Strictest first. */
  readonly effects: readonly string[]
  readonly findings: readonly Finding[]
}

export function asksOf(record: LedgerRecord, payloads: Payloads, selection: Selection): Ask[] {
  const asks: Ask[] = []
  const acted = new Set<string>()
  for (const intent of record.intents) {
    const request = intent.entry.request ?? intent.entry.plan?.plan ?? null
    if (request !== null) acted.add(request)
    asks.push(askOf(record, payloads, intent, request, intent))
  }
  for (const placed of record.others) {
    const { entry, evidence } = placed
    if (entry.type === 'denied') {
      asks.push(askOf(record, payloads, { entry, evidence }, null, null))
    }
    if (entry.type !== 'request-opened' && entry.type !== 'plan-opened') continue
    if (acted.has(entry.request)) continue
    asks.push(askOf(record, payloads, { entry, evidence }, entry.request, null))
  }
  return asks
    .filter(({ effects, fate }) => isHarmful(effects) || fate === 'unknown')
    .filter((ask) => isSelected(ask, selection))
    .sort(graver)
}

function askOf(
  record: LedgerRecord,
  payloads: Payloads,
  main: Ask['main'],
  request: string | null,
  intent: Ask['intent'],
): Ask {
  const opened = request === null ? null : (record.opened.get(request) ?? null)
  const document = opened === null ? null : shownIn(payloads, opened, intent)
  const outcomes = intent === null ? [] : (record.outcomes.get(intent.entry.effect) ?? [])
  const parts = document?.parts ?? []
  const added = parts.flatMap(({ evidence }) => evidence.addedEffects)
  return {
    main,
    opened,
    document,
    gone: opened === null ? null : (record.gone.get(opened.entry.document) ?? null),
    intent,
    reviews: request === null ? [] : (record.reviews.get(request) ?? []),
    grant: request === null ? null : (record.grants.get(request) ?? null),
    closed: request === null ? null : (record.closed.get(request) ?? null),
    outcomes,
    fate: fateOf(main, intent, outcomes),
    effects: strictestFirst([...main.entry.effects, ...added]),
    findings: parts.flatMap(({ evidence }) => evidence.findings),
  }
}

function shownIn(
  payloads: Payloads,
  opened: NonNullable<Ask['opened']>,
  intent: Ask['intent'],
): Shown | null {
  const text = payloads(opened.entry.document)
  const document = text === null ? null : documentOf(text)
  if (document === null) return null
  const { at } = opened.evidence
  const evidence = { source: 'payload', entry: null, id: opened.entry.document, at } as const
  return { frame: document, parts: partsFor(document, intent), evidence }
}

/** A step of a plan is one of its calls; a call is bound to its digest. */
function partsFor(document: AnyDocument, intent: Ask['intent']): readonly PlanPart[] {
  if (document.type === 'seconder-review-document@v1') return [document]
  const step = intent?.entry.plan?.step
  return step === undefined
    ? document.steps
    : document.steps.filter(({ number }) => number === step)
}

function fateOf(main: Ask['main'], intent: Ask['intent'], outcomes: Ask['outcomes']): Fate {
  if (intent === null) return main.entry.type === 'denied' ? 'refused' : 'held'
  const results = outcomes.map(({ entry }) => entry.outcome)
  const confirmed = results.find((one) => one.result === 'confirmed')
  if (confirmed?.result === 'confirmed' && confirmed.confirmed === 'failed') return 'failed'
  const first = results.find((one) => one.result !== 'confirmed')
  if (first === undefined || first.result === 'unknown') return 'unknown'
  if (first.result === 'withheld') return 'refused'
  return first.result === 'failed' ? 'failed' : 'happened'
}

export function strictestFirst(effects: readonly string[]): string[] {
  const order: readonly string[] = EFFECTS_BY_STRICTNESS
  return [...new Set(effects)].sort((a, b) => order.indexOf(b) - order.indexOf(a))
}

function isSelected({ main, findings, effects }: Ask, { resource, session }: Selection): boolean {
  const { entry } = main
  if (session !== '' && !entry.session.startsWith(session)) return false
  if (resource === '') return true
  const names = [entry.operation, ...entry.resources, ...findings.map(({ name }) => name)]
  return [...names, ...effects].some((name) => name.toLowerCase().includes(resource.toLowerCase()))
}

const FATE_ORDER: readonly Fate[] = ['happened', 'unknown', 'failed', 'held', 'refused']

/** What happened before what did not, the strictest effect first, then the order of time. */
function graver(a: Ask, b: Ask): number {
  const order: readonly string[] = EFFECTS_BY_STRICTNESS
  const rank = ({ effects }: Ask) => order.indexOf(effects[0] ?? '')
  return (
    FATE_ORDER.indexOf(a.fate) - FATE_ORDER.indexOf(b.fate) ||
    rank(b) - rank(a) ||
    (a.main.evidence.entry ?? 0) - (b.main.evidence.entry ?? 0)
  )
}

// What CloudTrail has beside a ledger, in an incident report: whether anything went round the gate, or ended
// otherwise than the ledger says. The findings are those of `seconder ledger reconcile`.

import {
  FINDINGS,
  type Finding,
  type FindingCode,
  type Reconciliation,
} from '../reconcile/reconciliation.ts'
import type { Answer } from './incident.ts'
import { count, listed, moment, sentence } from './words.ts'

/** Findings of one kind that are told; the JSON has more. */
export const BESIDE_SHOWN = 20

export const BESIDE_TITLE = 'What CloudTrail has beside the ledger'

/** One line of the answer: the findings by kind, or that there are none and of how much. */
export function besideAnswer(reconciled: Reconciliation): Answer {
  const head = 'What went round the gate'
  const { findingCount, counts } = reconciled
  if (findingCount === 0) return { head, says: sentence(`${noneWords(reconciled)}`) }
  const kinds = Object.entries(counts).map(
    ([code, found]) => `${FINDINGS[code as FindingCode]} (${found})`,
  )
  const says = `CloudTrail and the ledger differ in ${count(findingCount, 'finding')}: ${listed(kinds, 8)}`
  return { head, says: sentence(says) }
}

function noneWords(reconciled: Reconciliation): string {
  const { events, matched } = reconciled
  const pairs = matched.changes + matched.reads
  const left = leftWords(reconciled)
  if (left !== null) return `not known: ${left}. In what was compared nothing stands alone`
  if (events === 0) return 'this trail has no event of the window, so it says nothing'
  return `by this trail, nothing: ${count(pairs, 'call')} of the gate and their events belong together, and none stands alone`
}

/** What was not compared, in words; null where everything was. */
export function leftWords({ left }: Reconciliation): string | null {
  const parts = [
    ...(left.events > 0 ? [count(left.events, 'event')] : []),
    ...(left.files > 0 ? [`what is broken in ${count(left.files, 'file')} of the trail`] : []),
    ...(left.entries > 0 ? [count(left.entries, 'entry', 'entries')] : []),
  ]
  return parts.length === 0 ? null : `${listed(parts)} were not compared`
}

/** What was compared, in one sentence. */
export function besideWords({ events, covers, matched, apart }: Reconciliation): string {
  const span = covers.from === '' ? '' : ` from ${moment(covers.from)} to ${moment(covers.to)}`
  const pairs = `${count(matched.changes, 'change')} and ${count(matched.reads, 'read')} have their event`
  const left = `${apart.notLogged} are of calls that CloudTrail logs only as data events, ${apart.notCovered} lie before or after it`
  return `${count(events, 'event')}${span}, of whole sessions and resources: ${pairs}; ${left}.`
}

export interface BesideKind {
  readonly code: FindingCode
  readonly means: string
  readonly shown: readonly Finding[]
  /** How many more there are. */
  readonly more: number
}

/** Findings by kind, as they come. */
export function besideKinds({ findings, counts }: Reconciliation): BesideKind[] {
  const codes = [...new Set(findings.map(({ code }) => code))]
  return codes.map((code) => {
    const shown = findings.filter((finding) => finding.code === code).slice(0, BESIDE_SHOWN)
    return { code, means: FINDINGS[code], shown, more: (counts[code] ?? 0) - shown.length }
  })
}

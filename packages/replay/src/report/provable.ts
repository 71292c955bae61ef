// Says what a trail cannot prove, in whole sentences with numbers, and lists what was refused and what no
// name was found for. It stands at the top of a report: what is not known is not an allow.

import type { Judgement } from '../judge/judgement.ts'
import type { ScanFacts } from '../store/trail-store.ts'
import { LISTED_MAX, type Report, type Unmapped } from './report.ts'

export interface Seen {
  readonly judgements: readonly Judgement[]
  /** Events of each judgement that happened and that somebody made. */
  readonly judged: readonly (number | undefined)[]
  readonly failed: readonly (number | undefined)[]
  readonly facts: ScanFacts
  /** Data events. */
  readonly data: number
  /** Time of the first event, in seconds; 0 = none has one. */
  readonly first: number
  readonly isConfigured: boolean
}

interface Sentence {
  readonly what: string
  readonly count: number
}

export interface Provable {
  readonly cannotProve: readonly Sentence[]
  readonly unmappedCalls: readonly Unmapped[]
  readonly denials: Report['denials']
  readonly failedWouldBe: { allowed: number; reviewed: number; denied: number }
  readonly mayBeStricter: number
}

export function provable(seen: Seen): Provable {
  const { judgements, judged, failed } = seen
  const failedWouldBe = { allowed: 0, reviewed: 0, denied: 0 }
  const denials = new Map<string, Report['denials'][number]>()
  const unmappedCalls: Unmapped[] = []
  let mayBeStricter = 0
  let oddRegion = 0
  let hidden = 0
  judgements.forEach((judgement, place) => {
    const { answer, operation, environment, code, reason } = judgement
    const count = judged[place] ?? 0
    const failures = failed[place] ?? 0
    if (answer === 'allowed' || answer === 'reviewed' || answer === 'denied') {
      failedWouldBe[answer] += failures
    }
    if (judgement.oddRegion) oddRegion += count + failures
    if (answer === 'allowed' && judgement.mayBeStricter) mayBeStricter += count
    if (count === 0) return
    if (answer === 'denied') {
      const key = JSON.stringify([operation, environment, code, reason])
      const known = denials.get(key) ?? { operation, environment, code, reason, count: 0 }
      denials.set(key, { ...known, count: known.count + count })
    }
    if (answer !== 'unmapped') return
    if (environment !== '') hidden += count
    unmappedCalls.push({ source: judgement.source, name: judgement.name, why: reason, count })
  })
  const unmapped = unmappedCalls.reduce((sum, { count }) => sum + count, 0)
  const facts = { ...seen, unmapped, hidden, oddRegion, mayBeStricter }
  return {
    cannotProve: sentences(facts),
    unmappedCalls: unmappedCalls.sort((a, b) => b.count - a.count).slice(0, LISTED_MAX),
    denials: [...denials.values()].sort((a, b) => b.count - a.count).slice(0, LISTED_MAX),
    failedWouldBe,
    mayBeStricter,
  }
}

function sentences(
  facts: Seen & { unmapped: number; hidden: number; oddRegion: number; mayBeStricter: number },
): Sentence[] {
  const { facts: trail, data } = facts
  const all: Sentence[] = [
    {
      what: 'data events (reads and deletes of single objects, items, messages) are not in this trail: such calls are in no figure',
      count: data === 0 ? -1 : 0,
    },
    {
      what: 'events of calls that could not be named; they count as not mapped, never as allowed',
      count: facts.unmapped - facts.hidden,
    },
    {
      what: 'calls whose parameters the trail does not tell; they count as not mapped where they would have been allowed',
      count: facts.hidden,
    },
    {
      what: 'calls that were allowed, and for which the gate would have looked up more: it can only be stricter',
      count: facts.mayBeStricter,
    },
    { what: 'events without a time: in no week and in no window', count: trail.withoutTime },
    { what: 'events without an ID: copies of them cannot be told', count: trail.withoutId },
    { what: 'calls in a region that no partition of AWS has', count: facts.oddRegion },
    {
      what: 'files that are damaged, cut or no trail: what was whole in them was read',
      count: trail.faults.length + trail.moreFaults,
    },
    {
      what: 'lines that are no event, in files of one event a line: the others were read',
      count: trail.brokenLines,
    },
    {
      what: 'calls that were delivered to two accounts (sharedEventID): each counts once, as the caller has it',
      count: trail.sharedCopies,
    },
    { what: 'records that are no calls, such as insights', count: trail.otherRecords },
    { what: 'digest, insight and other files, left out by their names', count: trail.leftOut },
    {
      what: 'calls that touch more distinct things than are kept apart, and were described wider than they were',
      count: trail.widened,
    },
    {
      what: 'environments: no configuration was given, so every account counts as production (--policy seconder.yaml tells them apart)',
      count: facts.isConfigured ? 0 : -1,
    },
  ]
  // -1: true of the trail as a whole, without a number of events.
  return all
    .filter(({ count }) => count !== 0)
    .map(({ what, count }) => ({ what, count: Math.max(0, count) }))
}

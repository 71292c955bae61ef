// An incident from CloudTrail alone: harmful calls with what services did afterwards under the same rights,
// what was made again, and policies put to them. What a trail cannot know is said first.

import type { DecideContext } from '@seconder/gateway/decide/decision'
import type { PolicySources } from '@seconder/gateway/decide/policy-set'
import { actionOf } from '@seconder/gateway/describe/describe'
import { NO_EVIDENCE } from '@seconder/gateway/resolve/evidence'
import type { Rules } from '../judge/rules.ts'
import { makingOf } from '../report/recreations.ts'
import { isLook } from '../store/known-call.ts'
import {
  effectsOf,
  operationOf,
  type TrailEvent,
  type TrailWindow,
  thingsOf,
} from '../trail/window.ts'
import { answersOf } from './answers.ts'
import { strictestFirst } from './asks.ts'
import { candidateOf, type Recorded } from './candidates.ts'
import { joinedFactors } from './factors.ts'
import { CHAINS_MAX, type Chain, type Incident, isHarmful, MOMENTS_MAX } from './incident.ts'
import type { Selection } from './ledger-record.ts'
import { proposalFor } from './proposal.ts'
import {
  deedWords,
  evidenceOf,
  roleWords,
  type SessionUse,
  type TrailAsk,
  takenBy,
  trailFactors,
  trailLinks,
} from './trail-links.ts'
import { trailTimeline } from './trail-timeline.ts'
import { count, listed, named, thing } from './words.ts'

export interface TrailQuestion {
  readonly window: TrailWindow
  readonly selection: Selection
  /** Policy sets to try; the first is what a proposal is made beside. */
  readonly candidates: readonly Rules[]
  /** Texts of the first of them; null where no change shall be proposed. */
  readonly base: PolicySources | null
  readonly impact: string | null
}

/** What services did this long after a call of the same session is taken for its consequence. */
const FOLLOWS_MS = 15 * 60_000
const MASK_KEY = '00'.repeat(32)

export async function incidentOfTrail(question: TrailQuestion): Promise<Incident> {
  const { window, selection, impact } = question
  const asks = trailAsks(window.events, selection)
  const told = asks.slice(0, CHAINS_MAX)
  const [rules] = question.candidates
  const chains = told.map((ask, index) => chainOf(ask, String(index + 1), rules))
  const factors = joinedFactors(
    told.map((ask, index) => ({ chain: String(index + 1), factors: trailFactors(ask) })),
  )
  const tried = await candidatesOf(question, told)
  const sessions = new Set(told.map(({ event }) => event.who.session))
  const timeline = trailTimeline(window.events, sessions)
  const dropped =
    window.dropped > 0
      ? [
          `${count(window.dropped, 'event')} of this window were left out for their number: ask for a shorter one`,
        ]
      : []
  return {
    format: 'seconder-incident@v1',
    madeFrom: 'trail',
    warnings: dropped,
    source: { gate: '', verified: null, entries: 0, events: window.events.length, root: '' },
    asked: selection,
    window: { from: window.events[0]?.at ?? '', to: window.events.at(-1)?.at ?? '' },
    answers: answersOf({ chains, factors, ...tried, others: [] }),
    impact,
    cannotKnow: cannotKnow(window),
    chains,
    chainCount: asks.length,
    factors,
    candidates: tried.candidates,
    proposal: tried.proposal,
    timeline: timeline.slice(0, MOMENTS_MAX),
    timelineCount: timeline.length,
    reconciled: null,
  }
}

/** Harmful calls that somebody made, gravest first, each with what followed. */
export function trailAsks(events: readonly TrailEvent[], selection: Selection): TrailAsk[] {
  const asks: { event: TrailEvent; followed: TrailEvent[]; madeAgain: TrailEvent | null }[] = []
  const last = new Map<string, { followed: TrailEvent[]; at: string }>()
  const uses = usesOf(events)
  for (const event of events) {
    const { session } = event.who
    if (event.who.service !== '') {
      const cause = last.get(session)
      const isNear =
        cause !== undefined && Date.parse(event.at) - Date.parse(cause.at) <= FOLLOWS_MS
      if (isNear && !isLook(effectsOf(event))) cause.followed.push(event)
      continue
    }
    const again = event.errorCode === '' ? deletedBefore(asks, event) : undefined
    const followed: TrailEvent[] = []
    // What AWS refused has no consequence: what services do then follows from the call before it.
    if (event.errorCode === '' && !isLook(effectsOf(event)))
      last.set(session, { followed, at: event.at })
    if (again !== undefined) {
      again.madeAgain = event
      continue
    }
    if (isHarmful(effectsOf(event))) asks.push({ event, followed, madeAgain: null })
  }
  return asks
    .map((ask) => ({
      ...ask,
      use: uses.get(ask.event.who.session) ?? { events: 0, operations: [] },
    }))
    .filter((ask) => isSelected(ask, selection))
    .sort(graver)
}

/** The deletion, still open, of what this event makes. */
function deletedBefore<T extends { event: TrailEvent; madeAgain: TrailEvent | null }>(
  asks: readonly T[],
  event: TrailEvent,
): T | undefined {
  const made = makingOf(event.known)
  if (made === null || made.does !== 'creates') return undefined
  return asks.findLast(({ event: before, madeAgain }) => {
    if (madeAgain !== null || before.errorCode !== '') return false
    const gone = makingOf(before.known)
    if (gone === null || gone.does !== 'deletes') return false
    return made.keys.some(({ noun, thing: name }) =>
      gone.keys.some((key) => key.thing === name && noun.startsWith(key.noun)),
    )
  })
}

function usesOf(events: readonly TrailEvent[]): Map<string, SessionUse> {
  const uses = new Map<string, { events: number; operations: string[] }>()
  for (const event of events) {
    if (event.who.service !== '') continue
    const use = uses.get(event.who.session) ?? { events: 0, operations: [] }
    use.events++
    const operation = operationOf(event)
    if (!use.operations.includes(operation)) use.operations.push(operation)
    uses.set(event.who.session, use)
  }
  return uses
}

function isSelected({ event, followed }: TrailAsk, { resource, session }: Selection): boolean {
  if (session !== '' && !event.who.session.includes(session)) return false
  if (resource === '') return true
  const names = [event, ...followed].flatMap((one) => [operationOf(one), ...thingsOf(one)])
  return names.some((name) => name.toLowerCase().includes(resource.toLowerCase()))
}

/** What was deleted and made again first, then what happened, then by what it did and when. */
function graver(a: TrailAsk, b: TrailAsk): number {
  const weight = ({ event, madeAgain, followed }: TrailAsk) => {
    const destroys = effectsOf(event).includes('destroy') ? 4 : 0
    const taken = followed.some((one) => takenBy(one) !== null) ? 2 : 0
    return (event.errorCode === '' ? 16 : 0) + (madeAgain === null ? 0 : 8) + destroys + taken
  }
  return weight(b) - weight(a) || a.event.at.localeCompare(b.event.at)
}

/** Where the configuration places it; production where there is none, as the gate would. */
function environmentsOf({ event }: TrailAsk, rules: Rules | undefined): string[] {
  if (rules === undefined || event.known.is !== 'call') return ['production']
  const { resources } = actionOf(event.known.meaning, null, { ...rules.places, maskKey: MASK_KEY })
  const placed = [...new Set(resources.map(({ environment }) => environment))].sort()
  return placed.length === 0 ? ['production'] : placed
}

function chainOf(ask: TrailAsk, id: string, rules: Rules | undefined): Chain {
  const { event, followed, madeAgain } = ask
  const refused = event.errorCode !== ''
  const added = refused ? [] : followed.flatMap((one) => [...effectsOf(one)])
  const taken = followed.map(takenBy).filter((words) => words !== null)
  return {
    id,
    actor: `the role ${roleWords(event)}`,
    effect: {
      operation: operationOf(event),
      effects: strictestFirst([...effectsOf(event), ...added]).filter(
        (effect) => effect !== 'write',
      ),
      resources: thingsOf(event),
      environments: environmentsOf(ask, rules),
      region: event.region,
      fate: refused ? 'failed' : 'happened',
      outcome: refused ? 'failed' : 'accepted',
      confirmed: null,
      at: event.at,
      endedAt: followed.at(-1)?.at ?? event.at,
      takes: taken,
      ...(madeAgain !== null && {
        madeAgain: {
          operation: operationOf(madeAgain),
          at: madeAgain.at,
          evidence: evidenceOf(madeAgain),
        },
      }),
    },
    links: trailLinks(ask),
    claimed: null,
    did: didWords(ask),
  }
}

function didWords({ event, followed, madeAgain }: TrailAsk): string {
  const on = listed(
    thingsOf(event).map((arn) => named(thing(arn))),
    4,
  )
  const did =
    followed.length === 0
      ? ''
      : `; afterwards, under the same rights: ${listed(followed.map(deedWords), 8)}`
  const again = madeAgain === null ? '' : `; then ${deedWords(madeAgain)}`
  const refused = event.errorCode === '' ? '' : ', which AWS refused'
  return `called ${named(operationOf(event))} on ${on}${refused}${did}${again}`
}

async function candidatesOf(
  { candidates, base: sources }: TrailQuestion,
  told: readonly TrailAsk[],
) {
  const all = candidates.map((rules) =>
    candidateOf(rules.from, rules.policySet, recordedOf(told, rules), []),
  )
  const [rules] = candidates
  const at = told[0]?.event.at ?? ''
  if (rules === undefined || sources === null || told.length === 0)
    return { candidates: all, proposal: null }
  const base = { name: rules.from, sources, policySet: rules.policySet }
  const proposed = await proposalFor(recordedOf(told, rules), base, at)
  return { candidates: all, proposal: proposed?.proposal ?? null }
}

/** As the gate would have described them, had they come its way; what it would have looked up is missing. */
function recordedOf(told: readonly TrailAsk[], rules: Rules): Recorded[] {
  return told.flatMap(({ event, followed }, index): Recorded[] => {
    if (event.known.is !== 'call') return []
    const action = actionOf(event.known.meaning, null, { ...rules.places, maskKey: MASK_KEY })
    const { principal, sourceIdentity } = event.who
    const role = rules.roleNames.get(principal) ?? principal.split('/').at(-1) ?? ''
    const context: DecideContext = {
      agent: role,
      operator: sourceIdentity || 'unknown',
      role,
      isolation: rules.isolation,
      breakGlass: false,
    }
    // What its services then did is what a look-up would have found in it.
    const added = followed.flatMap(({ known }) =>
      known.is === 'call' ? known.meaning.effects : [],
    )
    const looked = { ...NO_EVIDENCE, addedEffects: [...new Set(added)] }
    const chain = String(index + 1)
    return [{ chain, action, looked, context, signed: [], wentOn: event.errorCode === '' }]
  })
}

function cannotKnow({ events, faults, covers }: TrailWindow): string[] {
  const unmapped = events.filter(({ known }) => known.is === 'unmapped').length
  const data = events.some(({ isData }) => isData)
  return [
    'who was behind the keys: a person, what the agent was told, and the reason it gave are in no trail',
    'whether anybody was asked or agreed: a trail knows no review',
    ...(data
      ? []
      : [
          'reads and changes of single objects and items: data events are not logged by default, and none are here',
        ]),
    'what was in what was deleted, and how long users felt it',
    'how calls that were only accepted ended, but by what services did afterwards',
    ...(unmapped > 0
      ? [
          `what ${count(unmapped, 'event')} did: no operation is known for them, so they count as harmful`,
        ]
      : []),
    ...(faults.length > 0
      ? [
          `what ${count(faults.length, 'file')} held: damaged, cut or no trail; what was whole was read`,
        ]
      : []),
    ...(events.length === 0
      ? [
          `anything of this window: the files have events from ${covers.from || 'no time'} to ${covers.to || 'no time'}`,
        ]
      : []),
  ]
}
